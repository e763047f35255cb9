#include "reports.h"

#include <sodium.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <map>
#include <utility>

#include "facilities.h"
#include "tables.h"

namespace fieldsync::demo {
namespace {

constexpr std::size_t heading_bytes_max = 60;

struct Paragraph {
  std::string language, heading, text;
};

// The Universal Declaration in the languages of the forms, one after the other.
std::vector<Paragraph> declaration(const std::filesystem::path& data) {
  const std::pair<const char*, const char*> sources[] = {
      {"ky", "kir.txt"}, {"tg", "tgk.txt"}, {"ru", "rus.txt"}, {"en", "eng.txt"}};
  std::vector<std::vector<Paragraph>> languages;
  std::size_t longest = 0;
  for (const auto& [language, file] : sources) {
    std::string heading;
    std::vector<Paragraph> paragraphs;
    for (const std::string& line : read_lines(data / "udhr_texts" / file)) {
      if (line.size() <= heading_bytes_max || heading.empty()) {
        heading = clean_text(line, 200);
      } else {
        paragraphs.push_back({language, heading, clean_text(line, 20000)});
      }
    }
    longest = std::max(longest, paragraphs.size());
    languages.push_back(std::move(paragraphs));
  }
  std::vector<Paragraph> all;
  for (std::size_t i = 0; i < longest; ++i) {
    for (const auto& paragraphs : languages) all.push_back(paragraphs[i % paragraphs.size()]);
  }
  return all;
}

// The id that `fieldsync-server import` gives a facility.
std::string facility_id(const std::string& scope, const std::string& code) {
  const std::string bytes = "fieldsync import v1\n" + scope + "\nfacility\n" + code;
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  char hex[33];
  sodium_bin2hex(hex, sizeof hex, hash, 16);
  return hex;
}

// "8350-20230327" ends with the day of the inspection.
std::string inspection_day(const std::string& report) {
  const std::size_t dash = report.find('-');
  if (dash == std::string::npos || report.size() != dash + 9) return "";
  const std::string day = report.substr(dash + 1);
  return day.substr(0, 4) + "-" + day.substr(4, 2) + "-" + day.substr(6, 2);
}

Table read_reports(const std::filesystem::path& data) {
  return read_csv_table(data / "ie_hiqa_social_care" / "GPT_responses.csv");
}

}  // namespace

std::set<std::string> reported_centres(const std::filesystem::path& data) {
  const Table reports = read_reports(data);
  std::set<std::string> centres;
  for (const Row& report : reports.rows) centres.insert(report[reports.column("centre-id")]);
  return centres;
}

std::vector<std::string> visit_reports(const std::filesystem::path& data, const std::string& scope,
                                       std::size_t devices) {
  const Table reports = read_reports(data);
  const std::vector<Paragraph> paragraphs = declaration(data);
  const char* const types[] = {"comprehensive", "interim", "special", "follow_up"};
  std::map<std::string, int> times_seen;
  std::vector<std::string> files(devices);
  for (std::size_t i = 0; i < reports.rows.size(); ++i) {
    const Row& report = reports.rows[i];
    const std::string& id = report[reports.column("report-id")];
    const int seen = ++times_seen[id];
    const Paragraph& paragraph = paragraphs[i % paragraphs.size()];
    boost::json::object visit;
    visit["facility"] = facility_id(scope, irish_code(report[reports.column("centre-id")]));
    visit["type"] = types[i % std::size(types)];
    visit["external_id"] = seen == 1 ? id : id + " (" + std::to_string(seen) + ")";
    visit["status"] = "closed_in_field";
    if (const std::string day = inspection_day(id); !day.empty()) visit["planned"] = day;
    visit["rating"] = report[reports.column("rating")];
    visit["summary"] = clean_text(report[reports.column("summary")], 8000);
    visit["narrative"] = boost::json::array{boost::json::object{
        {"narrative_title", paragraph.heading},
        {"narrative_text", boost::json::object{{"language", paragraph.language}, {"text", paragraph.text}}}}};
    // A report without a number or a rating is still a report.
    for (const char* const field : {"external_id", "rating", "summary"}) {
      if (visit[field].as_string().empty()) visit.erase(field);
    }
    files[i % devices] += boost::json::serialize(visit) + '\n';
  }
  return files;
}

}  // namespace fieldsync::demo
