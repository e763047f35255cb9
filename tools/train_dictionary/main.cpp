// fieldsync-train-dictionary: makes the zstd dictionary that devices and servers
// share, from invented reports. The same sources and the same libzstd give the
// same dictionary.
#include <zdict.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "codec/form_codec.h"
#include "train_dictionary/invented_reports.h"

namespace {

using namespace fieldsync;
using namespace fieldsync::training;

constexpr std::uint64_t seed = 20'261'125;
// Ids up to 32,767 are for private use (RFC 8878). 1001 was never released.
constexpr unsigned dictionary_id = 1002;
// What frame.cpp compresses with.
constexpr int compression_level = 1;

constexpr const char* usage =
    "Usage: fieldsync-train-dictionary BYTES FORMS SENTENCES DECLARATIONS OUTPUT\n\n"
    "Writes a dictionary of at most BYTES bytes to the file OUTPUT. FORMS is a folder of\n"
    "forms as proto text, SENTENCES and DECLARATIONS are folders of texts; see tools/dev train.\n";

std::vector<core::Form> read_forms(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".textproto") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<core::Form> forms;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    auto parsed = codec::parse_form_text(std::string(std::istreambuf_iterator<char>(stream), {}));
    if (!parsed) throw std::runtime_error(file.string() + ": " + parsed.error().message());
    forms.push_back(std::move(parsed->form));
  }
  if (forms.empty()) throw std::runtime_error("there are no forms in " + folder.string());
  return forms;
}

struct Samples {
  std::string bytes;
  std::vector<std::size_t> sizes;

  void add(const std::string& sample) {
    bytes += sample;
    sizes.push_back(sample.size());
  }
};

// What is compressed in the field: single saves, small batches, stored bodies.
Samples make_samples(InventedReports& reports) {
  constexpr int rounds = 3'000;
  Samples samples;
  for (int i = 0; i < rounds; ++i) {
    samples.add(reports.batch(1));
    samples.add(reports.body());
    if (i % 10 == 0) samples.add(reports.batch(8));
  }
  return samples;
}

std::size_t checked(std::size_t size) {
  if (ZDICT_isError(size) != 0) throw std::runtime_error(ZDICT_getErrorName(size));
  return size;
}

std::string train(const Samples& samples, std::size_t bytes_max) {
  const auto count = static_cast<unsigned>(samples.sizes.size());
  std::string trained(bytes_max, '\0');
  trained.resize(checked(
      ZDICT_trainFromBuffer(trained.data(), trained.size(), samples.bytes.data(), samples.sizes.data(), count)));
  // The same content again, with our id and with statistics for our level.
  const std::string content = trained.substr(checked(ZDICT_getDictHeaderSize(trained.data(), trained.size())));
  const ZDICT_params_t parameters{compression_level, 0, dictionary_id};
  std::string dictionary(bytes_max, '\0');
  dictionary.resize(
      checked(ZDICT_finalizeDictionary(dictionary.data(), dictionary.size(), content.data(), content.size(),
                                       samples.bytes.data(), samples.sizes.data(), count, parameters)));
  return dictionary;
}

void run(std::size_t bytes_max, char** folders) {
  const Narrative narrative(folders[1], folders[2]);
  InventedReports reports(read_forms(folders[0]), narrative, seed);
  const Samples samples = make_samples(reports);
  const std::string dictionary = train(samples, bytes_max);
  std::ofstream output(folders[3], std::ios::binary | std::ios::trunc);
  output << dictionary;
  output.close();
  if (!output) throw std::runtime_error(std::string("cannot write ") + folders[3]);
  std::printf("%zu bytes, from %zu samples of %zu bytes in all.\n", dictionary.size(), samples.sizes.size(),
              samples.bytes.size());
}

}  // namespace

int main(int count, char** values) {
  std::size_t bytes_max = 0;
  if (count == 6) {
    const std::string_view text = values[1];
    std::from_chars(text.data(), text.data() + text.size(), bytes_max);
  }
  if (bytes_max == 0) {
    const bool asked = count == 2 && std::string_view(values[1]) == "--help";
    std::fputs(usage, asked ? stdout : stderr);
    return asked ? 0 : 2;
  }
  try {
    run(bytes_max, values + 2);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fieldsync-train-dictionary: %s\n", error.what());
    return 1;
  }
}
