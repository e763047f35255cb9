#include <unistd.h>

#include <boost/json/array.hpp>
#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/form_words.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/table.h"
#include "fieldsync/terminal.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

std::string_view yes(bool is) { return is ? "yes" : ""; }

std::string path_of(const core::Form& form, const core::FormField& field) {
  const core::FormField* group = form.find(field.group);
  return group == nullptr ? field.name : group->name + "[]." + field.name;
}

std::string type_of(const core::FormField& field) {
  const std::string type(type_word(field.type));
  return field.refers_to.empty() ? type : type + " to " + field.refers_to;
}

void print_fields(const core::Form& form, const std::string& language) {
  Table table({{"Field"}, {"Type"}, {"Policy"}, {"Required"}, {"Label"}});
  for (const core::FormField& field : form.fields) {
    table.add_row({path_of(form, field), type_of(field), std::string(policy_word(field.policy)),
                   std::string(yes(field.required)), std::string(core::label_in(field.labels, language, ""))});
  }
  std::cout << table.render(terminal_columns(STDOUT_FILENO));
}

void print_choices(const core::FormField& field, const std::string& language) {
  Table table({{"Choice of " + field.name}, {"Label"}});
  for (const core::FormChoice& choice : field.choices) {
    table.add_row({choice.code, std::string(core::label_in(choice.labels, language, ""))});
  }
  std::cout << '\n' << table.render(terminal_columns(STDOUT_FILENO));
}

void print_form(const core::Form& form, const std::string& language) {
  std::cout << for_terminal(core::label_in(form.labels, language, form.name)) << " (" << form.name << ", version "
            << form.version << ")\n";
  if (!form.help.empty()) std::cout << for_terminal(core::label_in(form.help, language, "")) << '\n';
  std::cout << '\n';
  print_fields(form, language);
  for (const core::FormField& field : form.fields) {
    if (!field.choices.empty()) print_choices(field, language);
  }
}

void print_forms(const std::vector<core::Form>& forms, const std::string& language) {
  if (forms.empty()) {
    std::cout << "No forms yet. Bring them with: fieldsync sync\n";
    return;
  }
  using Align = Table::Align;
  Table table({{"Form"}, {"Version", Align::right}, {"Fields", Align::right}, {"Label"}});
  for (const core::Form& form : forms) {
    table.add_row({form.name, std::to_string(form.version), std::to_string(form.fields.size()),
                   std::string(core::label_in(form.labels, language, ""))});
  }
  std::cout << table.render(terminal_columns(STDOUT_FILENO));
}

Result<void> list_forms(const Settings& settings, Database& database) {
  const auto forms = database.forms();
  if (!forms) return forms.error();
  if (!settings.json) {
    print_forms(*forms, settings.language);
    return {};
  }
  boost::json::array array;
  for (const core::Form& form : *forms) array.push_back(form_json(form));
  print_json(std::cout, array);
  return {};
}

}  // namespace

Result<void> run_forms(const Settings& settings, const std::string& name) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  if (name.empty()) return list_forms(settings, **database);
  const auto form = find_form(**database, name);
  if (!form) return form.error();
  if (settings.json) {
    print_json(std::cout, form_json(*form));
  } else {
    print_form(*form, settings.language);
  }
  return {};
}

}  // namespace fieldsync::cli
