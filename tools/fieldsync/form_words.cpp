#include "fieldsync/form_words.h"

namespace fieldsync::cli {

std::string_view type_word(core::FieldType type) {
  switch (type) {
    case core::FieldType::text: return "text";
    case core::FieldType::integer: return "integer";
    case core::FieldType::number: return "number";
    case core::FieldType::boolean: return "boolean";
    case core::FieldType::choice: return "choice";
    case core::FieldType::date: return "date";
    case core::FieldType::instant: return "instant";
    case core::FieldType::reference: return "reference";
    case core::FieldType::position: return "position";
    case core::FieldType::attachment: return "attachment";
    case core::FieldType::local_text: return "local_text";
    case core::FieldType::group: return "group";
  }
  return "unknown";
}

std::string_view policy_word(core::MergePolicy policy) {
  switch (policy) {
    case core::MergePolicy::keep_siblings: return "register";
    case core::MergePolicy::set: return "set";
    case core::MergePolicy::max: return "max";
    case core::MergePolicy::min: return "min";
    case core::MergePolicy::any: return "any";
    case core::MergePolicy::most_restrictive: return "most_restrictive";
    case core::MergePolicy::per_author: return "per_author";
    case core::MergePolicy::append: return "append";
    case core::MergePolicy::counter: return "counter";
  }
  return "unknown";
}

std::string_view confidentiality_word(core::Confidentiality confidentiality) {
  switch (confidentiality) {
    case core::Confidentiality::public_: return "public";
    case core::Confidentiality::organisation: return "organisation";
    case core::Confidentiality::team: return "team";
    case core::Confidentiality::sealed: return "sealed";
    case core::Confidentiality::safety: return "safety";
  }
  return "unknown";
}

}  // namespace fieldsync::cli
