// narrative.h: text in Kyrgyz, Tajik, Russian and English, as monitors might write it.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "train_dictionary/random.h"

namespace fieldsync::training {

inline constexpr std::array<const char*, 4> languages{"ky", "tg", "ru", "en"};

class Narrative {
 public:
  // `sentences`: this folder's invented sentences. `declarations`: the Universal
  // Declaration, of which only the first half is read: benchmarks and the
  // demonstration measure with the second. Throws std::runtime_error.
  Narrative(const std::filesystem::path& sentences, const std::filesystem::path& declarations);

  // `language` is a place in `languages`.
  [[nodiscard]] std::string sentence(std::size_t language, Random& random) const;
  // One to six sentences, or a paragraph of the Declaration.
  [[nodiscard]] std::string paragraph(std::size_t language, Random& random) const;

 private:
  std::array<std::vector<std::string>, languages.size()> sentences_;
  std::array<std::vector<std::string>, languages.size()> declaration_;
};

}  // namespace fieldsync::training
