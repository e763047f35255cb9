// form.h: the schema of a record, as data. See proto/fieldsync/v1/form.proto for
// how forms are written and how they may change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fieldsync::core {

enum class FieldType : std::uint8_t {
  text = 1,
  integer,
  number,
  boolean,
  choice,
  date,
  instant,
  reference,
  position,
  attachment,
  local_text,
  group,
};

enum class MergePolicy : std::uint8_t {
  keep_siblings = 0,
  set,
  max,
  min,
  any,
  most_restrictive,
  per_author,
  append,
  counter,
};

enum class Confidentiality : std::uint8_t { public_ = 1, organisation, team, sealed, safety };

struct Label {
  std::string language;
  std::string text;
};

struct FormChoice {
  std::string code;
  std::vector<Label> labels;
};

struct Range {
  double minimum = 0;
  double maximum = 0;
};

struct FormField {
  std::uint32_t number = 0;
  std::string name;
  FieldType type = FieldType::text;
  MergePolicy policy = MergePolicy::keep_siblings;
  Confidentiality confidentiality = Confidentiality::team;
  std::vector<Label> labels;
  std::vector<FormChoice> choices;
  std::uint32_t group = 0;  // 0: the record's own
  bool required = false;
  std::optional<Range> range;
  std::uint32_t maximum_characters = 0;  // 0: the limit of the wire
  std::string refers_to;
  bool in_title = false;

  // Place among the choices, from 0; nothing where the form has no such choice.
  [[nodiscard]] std::optional<std::size_t> rank_of(std::string_view choice) const;
};

struct Form {
  std::string name;
  std::uint32_t version = 0;
  std::vector<Label> labels;
  std::vector<Label> help;
  std::vector<FormField> fields;  // sorted by number
  bool reference_data = false;
  std::string part_of;  // name of a reference field, or empty: see form.proto

  [[nodiscard]] const FormField* find(std::uint32_t number) const;
  [[nodiscard]] const FormField* find(std::string_view name) const;
  // Null where its records are part of no other.
  [[nodiscard]] const FormField* part_of_field() const { return part_of.empty() ? nullptr : find(part_of); }
  // Whether any of its fields is sealed, or for the safety of those who speak: who reads its records is noted.
  [[nodiscard]] bool is_sensitive() const;
};

// Whether this can be the name of a form, field or choice: 1 to 64 of a-z, 0-9 and _.
[[nodiscard]] bool is_name(std::string_view name);

// The label in `language`, else in English, else the first one, else `fallback`.
[[nodiscard]] std::string_view label_in(const std::vector<Label>& labels, std::string_view language,
                                        std::string_view fallback);

// Says what is wrong with a form: names, numbers, groups, choices, policies that
// do not fit the type.
[[nodiscard]] Result<void> check_form(const Form& form);

// Whether `next` may take the place of `current`: it only adds.
[[nodiscard]] Result<void> check_succession(const Form& current, const Form& next);

}  // namespace fieldsync::core
