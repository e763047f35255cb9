// older_app.h: a device's store as the version of the app before this one would have left it.
#pragma once

#include <string>

namespace fieldsync::team {

// Pre: nobody has the store open. Throws std::runtime_error where it cannot be read.
void undo_newest_migration(const std::string& path);

}  // namespace fieldsync::team
