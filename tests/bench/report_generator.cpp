#include "bench/report_generator.h"

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "core/id.h"

namespace fieldsync::bench {
namespace {

// 8 texts, 10 choices, 8 integers, 3 numbers, 4 booleans, 3 dates, 2 instants, 2 references.
constexpr int text_fields = 8, choice_fields = 10, integer_fields = 8, number_fields = 3, boolean_fields = 4,
              date_fields = 3, instant_fields = 2, reference_fields = 2;
constexpr int choices = 5;

struct Kind {
  const char* prefix;
  const char* type;
  int count;
};

constexpr Kind kinds[] = {{"text", "TEXT", text_fields},          {"choice", "CHOICE", choice_fields},
                          {"integer", "INTEGER", integer_fields}, {"number", "NUMBER", number_fields},
                          {"boolean", "BOOLEAN", boolean_fields}, {"date", "DATE", date_fields},
                          {"instant", "INSTANT", instant_fields}, {"reference", "REFERENCE", reference_fields}};

struct ToJson {
  boost::json::value operator()(const std::string& text) const { return boost::json::value(text); }
  boost::json::value operator()(std::int64_t number) const { return number; }
  boost::json::value operator()(double number) const { return number; }
  boost::json::value operator()(bool flag) const { return flag; }
  boost::json::value operator()(const core::Choice& choice) const { return boost::json::value(choice.code); }
  boost::json::value operator()(const core::Date&) const { return "2026-11-24"; }
  boost::json::value operator()(const core::Instant&) const { return "2026-11-24T10:00:00Z"; }
  boost::json::value operator()(const core::RecordId& id) const { return boost::json::value(id.hex()); }
  boost::json::value operator()(const auto&) const { return nullptr; }
};

}  // namespace

ReportGenerator::ReportGenerator(const std::string& folder, std::uint64_t seed) : random_(seed) {
  for (const char* language : {"kir", "tgk", "rus"}) {
    std::ifstream file(folder + "/" + language + ".txt");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    for (std::size_t i = lines.size() / 2; i < lines.size(); ++i) {
      std::istringstream text(lines[i]);
      for (std::string word; text >> word;) words_.push_back(word);
    }
  }
  if (words_.empty()) throw std::runtime_error("no texts in " + folder);
}

std::string ReportGenerator::form_text() {
  std::ostringstream form;
  form << "name: \"bench_report\" version: 1\n";
  int number = 1;
  for (const Kind& kind : kinds) {
    for (int i = 0; i < kind.count; ++i) {
      form << "fields { number: " << number++ << " name: \"" << kind.prefix << "_" << i << "\" type: FIELD_TYPE_"
           << kind.type << " confidentiality: CONFIDENTIALITY_TEAM";
      for (int c = 0; c < choices && std::string(kind.type) == "CHOICE"; ++c)
        form << " choices { code: \"option_" << c << "\" }";
      form << " }\n";
    }
  }
  return form.str();
}

std::string ReportGenerator::phrase() {
  const std::size_t count = 5 + below(11);
  const std::size_t start = below(words_.size() - count);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : " ") + words_[start + i];
  return text;
}

std::vector<Field> ReportGenerator::report() {
  std::vector<Field> fields;
  for (const Kind& kind : kinds) {
    for (int i = 0; i < kind.count; ++i) {
      const std::string name = std::string(kind.prefix) + "_" + std::to_string(i);
      switch (kind.type[0]) {
        case 'T': fields.push_back({name, phrase()}); break;
        case 'C': fields.push_back({name, core::Choice{"option_" + std::to_string(below(choices))}}); break;
        case 'N': fields.push_back({name, static_cast<double>(below(1000)) / 10}); break;
        case 'B': fields.push_back({name, below(2) == 1}); break;
        case 'D': fields.push_back({name, core::Date{static_cast<std::int32_t>(20000 + below(700))}}); break;
        case 'R': {
          core::RecordId id;
          // Reports point to one of 500 facilities.
          std::mt19937_64 facility(below(500));
          for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(facility());
          fields.push_back({name, id});
          break;
        }
        default:
          if (std::string(kind.type) == "INSTANT") {
            fields.push_back(
                {name, core::Instant{static_cast<std::int64_t>(1'750'000'000'000 + below(40'000'000) * 1000)}});
          } else {
            fields.push_back({name, static_cast<std::int64_t>(below(200))});
          }
      }
    }
  }
  return fields;
}

std::size_t ReportGenerator::json_bytes(const std::vector<Field>& report) {
  boost::json::object object;
  for (const Field& field : report) {
    object[field.name] = std::visit(ToJson{}, field.value);
  }
  return boost::json::serialize(object).size();
}

}  // namespace fieldsync::bench
