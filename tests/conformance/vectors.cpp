#include "vectors.h"

#include <google/protobuf/util/json_util.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "codec/form_codec.h"
#include "core/errc.h"
#include "fieldsync/v1/form.pb.h"

namespace fieldsync::conformance {
namespace {

template <typename Number>
Number number_of(const boost::json::value& value) {
  return boost::json::value_to<Number>(value);
}

core::SealedValue sealed_of(const object& plain) {
  core::SealedValue sealed{number_of<std::uint32_t>(plain.at("key_generation")), bytes_of(plain, "ciphertext"), {}};
  for (const auto& key : plain.at("keys").as_array()) {
    sealed.keys.push_back({bytes_of(key.as_object(), "holder"), bytes_of(key.as_object(), "box")});
  }
  return sealed;
}

core::Deletion deletion_of(const object& plain) {
  core::Deletion deletion;
  const auto& devices = plain.at("device").as_array();
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const object seen{{"device", devices[i]}, {"counter", plain.at("counter").as_array()[i]}};
    deletion.seen.newest.push_back({id_of<core::DeviceId>(seen, "device"), counter_of(seen, "counter")});
  }
  return deletion;
}

core::AttachmentFile file_of(const object& plain) {
  const auto id = core::AttachmentId::from_bytes(bytes_of(plain, "sha256"));
  REQUIRE(id);
  return {*id, number_of<std::uint32_t>(plain.at("size"))};
}

core::Attachment attachment_of(const object& plain) {
  core::Attachment attachment{file_of(plain)};
  attachment.kind = static_cast<core::AttachmentKind>(number_of<int>(plain.at("kind")));
  attachment.media_type = text_of(plain, "media_type");
  attachment.name = text_of(plain, "name");
  if (plain.contains("preview")) attachment.preview = file_of(plain.at("preview").as_object());
  return attachment;
}

core::FieldWrite write_of(const object& plain) {
  core::FieldWrite write;
  write.key = {id_of<core::ItemId>(plain, "item"), number_of<std::uint32_t>(plain.at("field"))};
  write.value = value_of(plain.at("value").as_object());
  for (const auto& entry : plain.at("replaces").as_array()) {
    const object& replaced = entry.as_object();
    write.replaces.push_back({{id_of<core::DeviceId>(replaced, "device"), counter_of(replaced, "counter")},
                              number_of<std::uint32_t>(replaced.at("place"))});
  }
  return write;
}

}  // namespace

std::string read_vectors(const std::string& name) {
  std::ifstream file(std::string(FIELDSYNC_VECTORS) + "/" + name, std::ios::binary);
  INFO(name);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void each_case(const std::string& name, const std::function<void(const object&)>& valid,
               const std::function<std::string(const object&)>& code) {
  const auto file = boost::json::parse(read_vectors(name + ".json"));
  REQUIRE_FALSE(file.at("valid").as_array().empty());
  for (const auto& one : file.at("valid").as_array()) {
    INFO(name << ": " << text_of(one.as_object(), "name"));
    valid(one.as_object());
  }
  for (const auto& one : file.at("invalid").as_array()) {
    INFO(name << ": " << text_of(one.as_object(), "name"));
    CHECK(code(one.as_object()) == text_of(one.as_object(), "code"));
  }
}

std::string code_of(const Error& error) { return std::string(describe(error.code).name); }

const core::Form& form() {
  static const core::Form form = [] {
    v1::Form wire;
    REQUIRE(google::protobuf::util::JsonStringToMessage(read_vectors("form.json"), &wire).ok());
    auto decoded = codec::decode_form(wire);
    REQUIRE(decoded);
    return *decoded;
  }();
  return form;
}

std::string text_of(const object& one, const char* name) { return std::string(one.at(name).as_string()); }

std::string bytes_of(const object& one, const char* name) {
  const auto bytes = core::from_hex(text_of(one, name));
  REQUIRE(bytes);
  return *bytes;
}

std::uint64_t counter_of(const object& one, const char* name) { return std::stoull(text_of(one, name)); }
std::int64_t integer_of(const object& one, const char* name) { return std::stoll(text_of(one, name)); }

core::Value value_of(const object& plain) {
  const std::string kind(plain.begin()->key());
  const boost::json::value& content = plain.begin()->value();
  if (kind == "empty") return core::Empty{};
  if (kind == "text") return text_of(plain, "text");
  if (kind == "integer") return integer_of(plain, "integer");
  if (kind == "number") return std::strtod(text_of(plain, "number").c_str(), nullptr);
  if (kind == "boolean") return content.as_bool();
  if (kind == "choice") return core::Choice{text_of(plain, "choice")};
  if (kind == "date") return core::Date{number_of<std::int32_t>(content)};
  if (kind == "instant") return core::Instant{integer_of(plain, "instant")};
  if (kind == "reference") return id_of<core::RecordId>(plain, "reference");
  if (kind == "position") {
    return core::Position{number_of<std::int32_t>(content.at("latitude_e7")),
                          number_of<std::int32_t>(content.at("longitude_e7"))};
  }
  if (kind == "attachment") return attachment_of(content.as_object());
  if (kind == "local_text")
    return core::LocalText{text_of(content.as_object(), "language"), text_of(content.as_object(), "text")};
  if (kind == "sealed") return sealed_of(content.as_object());
  REQUIRE(kind == "deletion");
  return deletion_of(content.as_object());
}

core::Operation operation_of(const object& plain, const core::OperationId& id) {
  core::Operation operation;
  operation.id = id;
  operation.record = id_of<core::RecordId>(plain, "record");
  operation.scope = id_of<core::ScopeId>(plain, "scope");
  operation.form = text_of(plain, "form");
  operation.kind = plain.at("finalise").as_bool() ? core::OperationKind::finalise : core::OperationKind::edit;
  operation.origin = plain.at("machine").as_bool() ? core::OperationOrigin::machine : core::OperationOrigin::person;
  operation.claimed = {integer_of(plain, "claimed")};
  for (const auto& write : plain.at("writes").as_array()) operation.writes.push_back(write_of(write.as_object()));
  return operation;
}

}  // namespace fieldsync::conformance
