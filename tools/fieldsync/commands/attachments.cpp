#include <unistd.h>

#include <boost/json/array.hpp>
#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/report.h"
#include "fieldsync/table.h"
#include "fieldsync/terminal.h"
#include "fieldsync/wording.h"

namespace fieldsync::cli {
namespace {

std::string_view stage_words(AttachmentStage stage) {
  switch (stage) {
    case AttachmentStage::added: return "in no save yet";
    case AttachmentStage::waiting: return "waits to be sent";
    case AttachmentStage::at_office: return "at the office";
    case AttachmentStage::wanted: return "to be fetched";
  }
  return "";
}

std::string_view stage_code(AttachmentStage stage) {
  switch (stage) {
    case AttachmentStage::added: return "added";
    case AttachmentStage::waiting: return "waiting";
    case AttachmentStage::at_office: return "at_office";
    case AttachmentStage::wanted: return "wanted";
  }
  return "";
}

boost::json::object info_json(const AttachmentInfo& info) {
  return {{"sha256", info.file.id.hex()},    {"kind", info.kind},
          {"size", info.file.size},          {"bytes_here", info.bytes_here},
          {"stage", stage_code(info.stage)}, {"record", info.record.is_none() ? "" : info.record.hex()}};
}

// What the office has, and nobody needs to be told again.
Result<std::uint64_t> free_all(Database& database, const std::vector<AttachmentInfo>& infos) {
  std::uint64_t bytes = 0;
  for (const AttachmentInfo& info : infos) {
    if (info.stage != AttachmentStage::at_office || info.kind == "preview") continue;
    if (auto freed = database.free_attachment(info.file.id); !freed) return freed.error();
    bytes += info.file.size;
  }
  return bytes;
}

}  // namespace

Result<void> run_attachments(const Settings& settings, const AttachmentsOptions& options) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto infos = (*database)->attachments();
  if (!infos) return infos.error();
  if (options.free) {
    const auto freed = free_all(**database, *infos);
    if (!freed) return freed.error();
    if (settings.json) {
      print_json(std::cout, boost::json::object{{"freed_bytes", *freed}});
    } else {
      std::cout << bytes_text(*freed) << " freed. Bring one back with: fieldsync open RECORD FIELD.\n";
    }
    return {};
  }
  if (settings.json) {
    boost::json::array list;
    for (const AttachmentInfo& info : *infos) list.push_back(info_json(info));
    print_json(std::cout, list);
    return {};
  }
  Wording wording(**database, settings.language);
  Table table({{"Kind"},
               {"Size", Table::Align::right, Table::Fit::whole},
               {"Here", Table::Align::right, Table::Fit::whole},
               {"How far"},
               {"Record"}});
  for (const AttachmentInfo& info : *infos) {
    table.add_row({info.kind, bytes_text(info.file.size), bytes_text(info.bytes_here),
                   std::string(stage_words(info.stage)), info.record.is_none() ? "" : wording.title(info.record)});
  }
  std::cout << table.render(terminal_columns(STDOUT_FILENO));
  return {};
}

}  // namespace fieldsync::cli
