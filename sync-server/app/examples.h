// examples.h: what stands at the end of each command's --help.
#pragma once

namespace fieldsync::server::examples {

inline constexpr char app[] = R"(A new server in four steps:
  fieldsync-server init
  fieldsync-server scope add 'Osh region'
  fieldsync-server person add 'Aigul' --scope 'Osh region' --role coordinator
  fieldsync-server serve
then, for each device: fieldsync-server enrol-code 'Aigul'

Commands work while the server runs: they are handed to it.
--dir may also follow the command.

Exit codes: 0 done, 1 refused or failed, 2 the command line is wrong.)";

inline constexpr char init[] = R"(The settings are in fieldsync-server.toml, each with a comment. Devices keep the
name or address and the port that stand there when they are enrolled.

Examples:
  fieldsync-server init
  fieldsync-server --dir /srv/fieldsync init --host office.example.org --port 443)";

inline constexpr char serve[] = R"(It may be ended at any time: what it acknowledged is on disk. The log goes to
standard output.

Example:
  fieldsync-server --dir /srv/fieldsync serve)";

inline constexpr char scope_add[] = R"(Example:
  fieldsync-server scope add 'Osh region')";

inline constexpr char person_add[] = R"(Monitors, coordinators and case handlers read and write in the scope; the board
reads. Administrators read as with --mode own. With --mode own a person reads the
records that they take part in, and reference data.

Examples:
  fieldsync-server person add 'Bakyt' --scope 'Osh region'
  fieldsync-server person add 'Dilnoza' --scope 'Osh region' --mode own
  fieldsync-server person add 'Aigul' --scope 'Osh region' --role coordinator)";

inline constexpr char person_join[] = R"(Examples:
  fieldsync-server person join 'Bakyt' 'Batken region'
  fieldsync-server person join 'Bakyt' 'Osh region' --role coordinator
  fieldsync-server person join 'Bakyt' 'Osh region' --mode own)";

inline constexpr char person_leave[] = R"(Example:
  fieldsync-server person leave 'Bakyt' 'Osh region')";

inline constexpr char participant_add[] =
    R"(The authors of a record take part in it by themselves, and in a part of a visit
whoever takes part in the visit.

Example:
  fieldsync-server participant add 1a2b3c4d5e6f708192a3b4c5d6e7f809 'Dilnoza')";

inline constexpr char participant_remove[] =
    R"(What they saved and have not sent is still taken. They come back by `participant add`
alone.

Example:
  fieldsync-server participant remove 1a2b3c4d5e6f708192a3b4c5d6e7f809 'Dilnoza')";
inline constexpr char quarantine[] =
    R"(A save is accepted as it was signed: under its author's name, in its scope. One whose
record its device has saved again since is returned instead.

Examples:
  fieldsync-server quarantine list
  fieldsync-server quarantine show 3f9a0c12:17
  fieldsync-server quarantine accept 3f9a0c12:17
  fieldsync-server quarantine return 3f9a0c12:17 --note 'The visit was on the 12th, I think.')";

inline constexpr char enrol_code[] = R"(Whoever has the text becomes that person, once, within `code_lifetime_minutes`
(24 hours unless set otherwise). Hand it over in person: on paper, or as a QR code on the screen.
Five wrong tries lock a code. `code list` shows what became of each.

Examples:
  fieldsync-server enrol-code 'Aigul'
  fieldsync-server enrol-code 'Aigul' --qr
  fieldsync-server enrol-code 'Aigul' --json)";

inline constexpr char device_revoke[] =
    R"(The device is told nothing any more, from its next request on. What was saved on it
and not sent it still hands in, into quarantine; then it erases itself. Until then it
goes on showing what it holds; one that never comes online again keeps it, sealed.

Examples:
  fieldsync-server device list
  fieldsync-server device revoke 1a2b3c4d)";

inline constexpr char form_import[] = R"(proto/fieldsync/v1/form.proto says how a form is written; sync-server/forms has
those that a new server starts with. A next version only adds.

Example:
  fieldsync-server form import visit.textproto)";

inline constexpr char import_file[] =
    R"(The first line names the form's fields; text with a language is headed name:language.

  external_code,names:ky,names:en,kind,capacity
  OSH-1,Ош ТКЖ,Osh remand prison,sizo,120

Example:
  fieldsync-server import facility facilities.csv --scope 'Osh region' --key external_code)";

inline constexpr char fingerprint[] = R"(Write it down and keep it outside the office: with it, and an exported history,
anybody can tell whether something was changed. It stays the same for as long as log.key does.

Example:
  fieldsync-server fingerprint)";

inline constexpr char history_export[] =
    R"(The file holds everything that devices sent, as they signed it: it is as confidential as
the database. Devices go on syncing meanwhile. That it was made is noted in the history.

Example:
  fieldsync-server history export history-2026.fsh)";

inline constexpr char verify[] =
    R"(Says that the history is sound, or names the first entry that was altered, dropped, swapped,
back-dated or signed by another key. A history whose end was cut off neatly is sound in
itself: give it a checkpoint that a device shows (fieldsync status --json).

Exit codes: 0 sound, 1 not sound or not readable, 2 the command line is wrong.

Examples:
  fieldsync-server verify history-2026.fsh --root 5f3a...
  fieldsync-server verify history-2026.fsh --root 5f3a... --checkpoint fieldsync-checkpoint:1:...)";

inline constexpr char status[] = R"(Attachments are awaited where a record names them and their bytes have not all come:
from devices that have not synced since, and for ever where somebody named a file that
nobody has.

Example:
  fieldsync-server status --json)";

inline constexpr char reload_certificate[] =
    R"(For a certificate that was renewed, or for the spare key in the place of one that was
lost. Devices that are connected go on; where key and certificate do not belong together
nothing changes. SIGHUP does the same, and says in the log what came of it.

Example:
  fieldsync-server reload-certificate)";

inline constexpr char renew_certificate[] =
    R"(Devices know the server by its key, which stays; a certificate that has ended stops no
sync, but they say so. Connections that are open go on.

Example, each month from cron:
  fieldsync-server --dir /srv/fieldsync renew-certificate)";

inline constexpr char check[] = R"(Asks SQLite whether its file is sound, whether each scope's digest is that of its
records, and whether each attachment that came is there and has its hash; it prints the
hashes of those that have not. Exit code 1 where something is wrong.

Example:
  fieldsync-server check --json)";

}  // namespace fieldsync::server::examples
