#include <charconv>
#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"

namespace fieldsync::cli {
namespace {

// "17", or "1a2b:17" where the store was enrolled anew and has two of this number.
Result<core::OperationId> find_refusal(Database& database, std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view digits = colon == std::string_view::npos ? text : text.substr(colon + 1);
  const std::string_view device = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  std::uint64_t counter = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), counter);
  if (problem != std::errc() || end != digits.data() + digits.size())
    return Error{Errc::invalid_argument,
                 "'" + std::string(text) + "' is no number of a refusal. See: fieldsync status."};
  const auto refused = database.refused();
  if (!refused) return refused.error();
  std::vector<core::OperationId> found;
  for (const RefusedOperation& one : *refused) {
    if (one.operation.counter == counter && one.operation.device.hex().starts_with(device))
      found.push_back(one.operation);
  }
  if (found.empty())
    return Error{Errc::not_found, "There is no refusal " + std::string(text) + ". See: fieldsync status."};
  if (found.size() > 1) {
    return Error{Errc::ambiguous, "There are two of this number. Write " + short_id(found.front().device) + ":" +
                                      std::string(digits) + " or " + short_id(found.back().device) + ":" +
                                      std::string(digits) + "."};
  }
  return found.front();
}

}  // namespace

Result<void> run_amend(const Settings& settings, const AmendOptions& options) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto refused = find_refusal(**database, options.refusal);
  if (!refused) return refused.error();
  if (options.let_be) {
    if (auto settled = (*database)->settle_refusal(*refused); !settled) return settled;
    if (settings.json) print_json(std::cout, boost::json::object{{"settled", operation_json(*refused)}});
    if (!settings.json) std::cout << "It stays at the office, and is shown here no more.\n";
    return {};
  }
  std::optional<core::ScopeId> into;
  if (!options.into.empty()) {
    const auto scope = find_scope(**database, options.into);
    if (!scope) return scope.error();
    into = *scope;
  }
  auto editor = (*database)->amend(*refused, into);
  if (!editor) {
    const bool is_left = editor.error().code == Errc::scope_not_found;
    return is_left ? Error{Errc::scope_not_found, "You are not in its scope any more. Name another one with --into."}
                   : editor.error();
  }
  const auto form = find_form(**database, editor->view().form);
  if (!form) return form.error();
  if (auto put_right = Draft(*editor, *form, record_finder(**database)).apply(options.edits); !put_right)
    return put_right;
  const auto saved = editor->save();
  if (!saved) return saved.error();
  const core::RecordId record = editor->id();
  if (settings.json) {
    print_json(std::cout, boost::json::object{{"id", record.hex()}, {"operation", operation_json(saved->operation)}});
  } else {
    std::cout << "Saved " << short_id(record) << " anew on this device. Send it with: fieldsync sync.\n";
  }
  return {};
}

}  // namespace fieldsync::cli
