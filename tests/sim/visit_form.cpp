#include "sim/visit_form.h"

namespace fieldsync::sim {
namespace {

std::string field(int number, const std::string& name, const std::string& type, const std::string& rest = {}) {
  return "fields { number: " + std::to_string(number) + " name: \"" + name + "\" type: FIELD_TYPE_" + type +
         " confidentiality: CONFIDENTIALITY_TEAM labels { language: \"en\" text: \"" + name + "\" } " + rest + " }\n";
}

std::string choices() {
  std::string text;
  for (const char* code : {"none", "low", "high", "grave"}) {
    text += std::string(" choices { code: \"") + code + "\" labels { language: \"en\" text: \"" + code + "\" } }";
  }
  return text;
}

}  // namespace

std::string visit_form(std::uint32_t version) {
  std::string text =
      "name: \"visit\" version: " + std::to_string(version) + " labels { language: \"en\" text: \"Visit\" }\n";
  text += field(1, "summary", "TEXT");
  text += field(2, "beds", "INTEGER", "has_range: true minimum: 0 maximum: 500");
  text += field(3, "areas", "TEXT", "policy: MERGE_POLICY_SET");
  text += field(4, "severity", "CHOICE", "policy: MERGE_POLICY_MAX" + choices());
  text += field(5, "privacy", "INTEGER", "policy: MERGE_POLICY_MIN");
  text += field(6, "urgent", "BOOLEAN", "policy: MERGE_POLICY_OR");
  text += field(7, "consent", "CHOICE", "policy: MERGE_POLICY_MOST_RESTRICTIVE" + choices());
  text += field(8, "verdict", "TEXT", "policy: MERGE_POLICY_PER_AUTHOR");
  text += field(9, "notes", "TEXT", "policy: MERGE_POLICY_APPEND");
  text += field(10, "seen", "INTEGER", "policy: MERGE_POLICY_COUNTER");
  text += field(11, "cells", "GROUP");
  text += field(12, "cell_text", "TEXT", "group: 11");
  text += field(15, "photo", "ATTACHMENT");
  // Nobody may write it in the clear; but who reads a visit is put on record.
  text +=
      "fields { number: 16 name: \"witness\" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_SEALED"
      " labels { language: \"en\" text: \"witness\" } }\n";
  if (version >= 2) text += field(13, "later", "TEXT");
  if (version >= 3) text += field(14, "latest", "TEXT", "policy: MERGE_POLICY_SET");
  return text;
}

}  // namespace fieldsync::sim
