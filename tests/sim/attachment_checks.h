// attachment_checks.h: what must be true of attachments, at any moment and at the end. Each
// throws BrokenPromise.
#pragma once

#include <functional>

#include "fieldsync/database.h"
#include "sim/album.h"
#include "sim/book.h"
#include "sim/office.h"
#include "sim/office_copy.h"

namespace fieldsync::api {
struct LocalStore;
}

namespace fieldsync::sim {

// The attachments that are shown, of every value of every field.
void for_each_attachment(const RecordView& view, const std::function<void(const core::Attachment&)>& take);
// The files, attachments and previews, that an operation names.
void for_each_file(const core::Operation& operation, const std::function<void(const core::AttachmentFile&)>& take);

// It is on the office's disk, whatever happens to the power.
[[nodiscard]] bool is_durable_at_office(const Server& server, const Album& album, const core::AttachmentId& id);

// The book's saves from the given one on have just returned: notes which bytes are here.
void note_named(Book& book, std::size_t first, api::LocalStore& store);

// What was added stays, until it is freed or its scope is taken away.
void check_added_survived(const Book& book, api::LocalStore& store, bool may_have_left_scopes);

// What is whole here is what was added. Does nothing where the disk fails, or it is not whole.
void check_readable(const Book& book, Database& database, const AttachmentInfo& info, const Album& album);

// Where nothing was restored: what a device says of its attachments, and what it says may be
// erased, is true of the office's disk.
void check_attachments_are_true(Book& book, Database& database, const Server& server, const Album& album);

// After every start of the office: what its store says it has is on its disk, byte for byte.
void check_office_attachments(const Server& server, server::ReadTransaction& transaction,
                              const std::vector<server::DeviceRow>& devices, const Album& album);

// --- when everything works again

// Which attachment is still to be sent or fetched; empty where none is. `waits` of a device that
// may write in these scopes.
[[nodiscard]] std::string attachment_to_move(const Book& book, api::LocalStore& store,
                                             const std::set<core::ScopeId>& writable);
// Nobody has a published file with other bytes than its name.
void check_published(const Server& server);
// What the device had when its saves named it is at the office, whoever may read it.
void check_handed_in(const Book& book, const Server& server, const Album& album);
// What the device has, had when it named it, and may write where it did, is complete at the office.
void check_delivered(const Book& book, Database& database, api::LocalStore& store, const OfficeCopy& copy,
                     const std::set<core::ScopeId>& writable, const Server& server, const Album& album);

}  // namespace fieldsync::sim
