#include "train_dictionary/narrative.h"

#include <fstream>
#include <stdexcept>

namespace fieldsync::training {
namespace {

constexpr std::array<const char*, languages.size()> declaration_files{"kir.txt", "tgk.txt", "rus.txt", "eng.txt"};

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) throw std::runtime_error("there is no text in " + path.string());
  return lines;
}

const std::string& one_of(const std::vector<std::string>& lines, Random& random) {
  return lines[random.below(lines.size())];
}

}  // namespace

Narrative::Narrative(const std::filesystem::path& sentences, const std::filesystem::path& declarations) {
  for (std::size_t i = 0; i < languages.size(); ++i) {
    sentences_[i] = read_lines(sentences / (std::string(languages[i]) + ".txt"));
    declaration_[i] = read_lines(declarations / declaration_files[i]);
    declaration_[i].resize(declaration_[i].size() / 2);
  }
}

std::string Narrative::sentence(std::size_t language, Random& random) const {
  std::string text;
  for (const char letter : one_of(sentences_[language], random)) {
    letter == '#' ? text += std::to_string(random.below(60)) : text += letter;
  }
  return text;
}

std::string Narrative::paragraph(std::size_t language, Random& random) const {
  if (random.percent(50)) return one_of(declaration_[language], random);
  std::string text = sentence(language, random);
  for (std::uint64_t more = random.below(6); more > 0; --more) text += " " + sentence(language, random);
  return text;
}

}  // namespace fieldsync::training
