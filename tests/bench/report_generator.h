// report_generator.h: invented reports of 40 fields and about 2 KB as JSON, with
// Cyrillic text. Phrases of 5 to 15 words from the Universal Declaration's later
// articles, which the compression dictionary was not trained on.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"

namespace fieldsync::bench {

struct Field {
  std::string name;
  core::Value value;
};

class ReportGenerator {
 public:
  ReportGenerator(const std::string& texts_folder, std::uint64_t seed);

  // The form as proto text, for `fieldsync-server form import`.
  [[nodiscard]] static std::string form_text();
  [[nodiscard]] std::vector<Field> report();
  [[nodiscard]] std::string phrase();
  // The size that the report would have as JSON.
  [[nodiscard]] static std::size_t json_bytes(const std::vector<Field>& report);

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::mt19937_64 random_;
  std::vector<std::string> words_;
};

}  // namespace fieldsync::bench
