#include "facilities.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace fieldsync::demo {
namespace {

struct Place {
  std::string address, postcode;
};

std::string whole_date(const std::string& text) {
  return text.size() == 10 && text[4] == '-' && text[7] == '-' ? text : "";
}

// "25-08-2022" to "2022-08-25"
std::string turned_date(const std::string& text) {
  if (text.size() != 10 || text[2] != '-' || text[5] != '-') return "";
  return text.substr(6) + "-" + text.substr(3, 2) + "-" + text.substr(0, 2);
}

// "HMP/YOI Askham Grange" is "Askham Grange" in the list of the estate.
std::string short_name(std::string name) {
  if (name.starts_with("HM")) {
    const std::size_t space = name.find(' ');
    if (space != std::string::npos) name.erase(0, space + 1);
  }
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

std::map<std::string, Place> places_by_name(const std::filesystem::path& folder) {
  std::map<std::string, Place> places;
  const Table estate = read_tsv_table(folder / "lists_prison-estate_prison_estate.tsv");
  for (const Row& row : estate.rows) {
    places[short_name(row[estate.column("name")])] = {row[estate.column("postal_address")],
                                                      row[estate.column("postcode")]};
  }
  const Table former = read_tsv_table(folder / "lists_former-prisons_prisons.tsv");
  for (const Row& row : former.rows) {
    places[short_name(row[former.column("official-name")])] = {
        join_lines(row[former.column("address-text")], '|') + ", " + row[former.column("postcode")],
        row[former.column("postcode")]};
  }
  return places;
}

// The source has the latitude under "long" and the longitude under "lat".
std::map<std::string, std::string> positions_by_postcode(const std::filesystem::path& folder) {
  std::map<std::string, std::string> positions;
  const Table addresses = read_tsv_table(folder / "maps_prison-address.tsv");
  for (const Row& row : addresses.rows) {
    const std::string& latitude = row[addresses.column("long")];
    const std::string& longitude = row[addresses.column("lat")];
    if (!latitude.empty() && !longitude.empty())
      positions[row[addresses.column("postcode")]] = latitude + "," + longitude;
  }
  return positions;
}

}  // namespace

std::vector<Row> british_prisons(const std::filesystem::path& data) {
  const std::filesystem::path folder = data / "uk_prison_register";
  const auto places = places_by_name(folder);
  const auto positions = positions_by_postcode(folder);
  const Table prisons = read_tsv_table(folder / "prison.tsv");
  std::vector<Row> rows{
      {"external_code", "names:en", "kind", "address", "position", "opened", "closed", "renamed_from"}};
  std::map<std::string, std::size_t> row_of_code;
  for (const Row& prison : prisons.rows) {
    const std::string code = "UK-" + prison[prisons.column("prison-estate")];
    const std::string name = clean_text(prison[prisons.column("name")], 200);
    const auto [known, is_new] = row_of_code.try_emplace(code, rows.size());
    if (!is_new) {
      // The name that has no end is the present one.
      Row& row = rows[known->second];
      const bool ended = !prison[prisons.column("end-date")].empty();
      row[7] = ended ? name : row[1];
      if (!ended) row[1] = name;
      row[6] = "";
      continue;
    }
    std::string address, position;
    if (const auto place = places.find(short_name(name)); place != places.end()) {
      address = clean_text(place->second.address, 500);
      if (const auto found = positions.find(place->second.postcode); found != positions.end()) position = found->second;
    }
    rows.push_back({code, name, "prison", address, position, whole_date(prison[prisons.column("start-date")]),
                    whole_date(prison[prisons.column("end-date")]), ""});
  }
  return rows;
}

std::string irish_code(const std::string& centre) { return "IE-" + centre; }

std::vector<Row> irish_centres(const std::filesystem::path& data, const std::set<std::string>& reported) {
  const Table centres = read_csv_table(data / "ie_hiqa_social_care" / "disability_register.csv");
  std::vector<Row> rows{
      {"external_code", "names:en", "kind", "authority", "region_code", "capacity", "opened", "conditions"}};
  std::set<std::string> known;
  for (const Row& centre : centres.rows) {
    const std::string& id = centre[centres.column("Centre_ID")];
    if (!known.insert(id).second) continue;
    rows.push_back({irish_code(id), clean_text(centre[centres.column("Centre_Title")], 200), "social_care_home",
                    clean_text(centre[centres.column("Registration_Provider")], 200),
                    clean_text(centre[centres.column("County")], 32), centre[centres.column("Maximum_Occupancy")],
                    turned_date(centre[centres.column("Registration_Date")]),
                    clean_text(centre[centres.column("Registration_Conditions")], 20000)});
  }
  for (const std::string& id : reported) {
    if (known.insert(id).second)
      rows.push_back({irish_code(id), "Centre " + id, "social_care_home", "", "", "", "", ""});
  }
  return rows;
}

}  // namespace fieldsync::demo
