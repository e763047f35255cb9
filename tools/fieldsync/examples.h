// examples.h: what stands at the end of each command's --help.
#pragma once

namespace fieldsync::cli::examples {

inline constexpr char app[] = R"(A first day:
  fieldsync enrol "ENROLMENT TEXT" --name "Aidai's tablet"
  fieldsync sync
  fieldsync forms
  fieldsync new visit facility=1a2b3c4d type=interim planned=2026-11-24
  fieldsync list visit
  fieldsync sync

--store, --language and --json may also follow the command.

Exit codes: 0 done, 1 refused or failed, 2 the command line is wrong,
3 offline or the connection broke: try again later.)";

inline constexpr char enrol[] = R"(The coordinator's `fieldsync-server enrol-code` prints the text.

Example:
  fieldsync enrol "ENROLMENT TEXT" --name "Osh office, tablet 2")";

inline constexpr char forms[] = R"(Examples:
  fieldsync forms                        all forms
  fieldsync forms visit --language ky    the fields of one, with Kyrgyz labels)";

inline constexpr char scopes[] = R"(Example:
  fieldsync scopes --json)";

inline constexpr char create[] = R"(Values:
  text         as it is                       summary="Cell 4 has no window."
  local text   language:text                  names="ky:Ош ТКИ"
  choice       code, or label                 kind=ivs
  yes or no                                   announced=no
  date         year-month-day                 planned=2026-11-24
  instant      RFC 3339                       arrived=2026-11-24T10:00+06:00
  position     latitude,longitude in degrees  position=42.8746,74.5698
  reference    first digits of a record id    facility=1a2b3c4d
A field that holds several values may be given several times. Fields of a group
are written 'group[new].field=value'. The new record's id is printed.

From a file, one JSON object a line; a group takes an array of objects:
  {"kind": "ivs", "capacity": 40, "names": ["ky:Ош ТКИ", "ru:Ош ИВС"]}
  {"facility": "1a2b3c4d", "areas": [{"area": "cell", "note": "No window."}]}
  {"names": {"language": "ky", "text": "Ош ТКИ"}}

Examples:
  fieldsync new facility kind=ivs names="ky:Ош ТКИ" names="ru:Ош ИВС"
  fieldsync new visit --scope "Osh region" facility=1a2b type=interim
  fieldsync new visit facility=1a2b 'areas[new].area=cell' 'areas[new].note=Damp.'
  fieldsync new facility --from facilities.jsonl)";

inline constexpr char edit[] = R"(A field that holds one value gets the new one in its place; a set or a list gets
one value more; a counter is raised by it. Values are written as for `new`.
Fields of a group: 'group[ITEM].field', where ITEM is the beginning of the id
that `show` prints, or 'new' for an item that this command adds.

Examples:
  fieldsync edit 1a2b status=closed summary="Two cells closed since May."
  fieldsync edit 1a2b --add team=9f8e --remove team=77ab
  fieldsync edit 1a2b --clear summary
  fieldsync edit 1a2b 'areas[new].area=kitchen' 'areas[3f2a].note=Painted.'
  fieldsync edit 1a2b --delete-item 3f2a)";

inline constexpr char show[] = R"(Example:
  fieldsync show 1a2b3c4d --language ru)";

inline constexpr char list[] = R"(Examples:
  fieldsync list                            everything, newest change first
  fieldsync list visit --scope "Osh region" --limit 20
  fieldsync list visit --deleted --json)";

inline constexpr char search[] = R"(Examples:
  fieldsync search "терезе жок"
  fieldsync search window --form observation)";

inline constexpr char conflicts[] = R"(Where two people changed the same field without knowing of each other, both
values stay until somebody decides.

Example:
  fieldsync conflicts
  fieldsync resolve 1a2b3c4d summary --pick 2)";

inline constexpr char resolve[] = R"(Examples:
  fieldsync resolve 1a2b summary --pick 2          the second that `conflicts` lists
  fieldsync resolve 1a2b summary --value "Both windows are broken."
  fieldsync resolve 1a2b 'areas[3f2a].note' --pick 1
  fieldsync resolve 1a2b existence --pick keep     deleted by some, edited by others)";

inline constexpr char remove[] = R"(What others wrote without knowing of the deletion stays visible, flagged.

Example:
  fieldsync delete 1a2b3c4d)";

inline constexpr char restore[] = R"(Example:
  fieldsync list --deleted
  fieldsync restore 1a2b3c4d)";

inline constexpr char sync[] = R"(May be broken off at any time, with Ctrl-C or by the network: what the office
acknowledged stays acknowledged, the rest stays here. Exit code 3: no connection.

Example:
  fieldsync sync)";

inline constexpr char status[] = R"(Example:
  fieldsync status --json)";

inline constexpr char schedule[] = R"(Plays a day to the scheduler that applications use for background sync, and prints
each of its decisions: when, what may travel, and why. Uses no store and no network.

Each line of FILE is a JSON object with a time and what happens then:
  at                "08:00" or "08:00:30"; never before the line above
  day               1 to 31; without it, that of the line above
  connectivity      "none", "metered" or "unmetered"
  network           a number; another one is another network
  battery           0 to 100, or null where it is not known
  charging, foreground              true or false
  saves             how many
  asks              by the person: "sync", "all_attachments" or "everything"
  pause, lock       true or false
  sync, code        how syncs end from then on: "works", or "fails" with a code
  seconds           how long each takes from then on
  text_bytes        what each carries of text from then on
  photo_bytes       photos that wait from then on, until a sync may carry them
At first there is no connection, and syncs work. It ends an hour after the last line.

Examples:
  fieldsync schedule --simulate              an example day
  fieldsync schedule --simulate day.jsonl --json
  echo '{"at": "08:00", "connectivity": "metered", "saves": 1}' |
    fieldsync schedule --simulate -)";

inline constexpr char export_[] = R"(csv    for spreadsheets: UTF-8, a heading in the chosen language, several values
       of a field joined with "; ", the fields in conflict in the last column
jsonl  one JSON object a line with every value, its author and its time

Examples:
  fieldsync export --form visit --format csv --language ky --output visits.csv
  fieldsync export --form facility --format jsonl > facilities.jsonl)";

inline constexpr char amend[] = R"(What was refused is taken as it was, over what the record says now; counts are to be
entered again.

Examples:
  fieldsync status
  fieldsync amend 17 beds=12
  fieldsync amend 17 --into "Osh"
  fieldsync amend 17 --let-be)";

inline constexpr char attach[] =
    R"(Sealed while it is written. It goes to the office with the next sync, after the text.
A photo may say where and when it was taken: that is evidence, and stays in it.

Examples:
  fieldsync attach 1a2b3c4d evidence_files=letter.pdf
  fieldsync attach 1a2b3c4d 'anomalies[new].anomaly_photo=IMG_1.jpg' --preview small.jpg)";

inline constexpr char open[] = R"(The file that is written is not sealed any more.

Examples:
  fieldsync open 1a2b3c4d evidence_files --pick 2
  fieldsync open 1a2b3c4d 'anomalies[3f2a].anomaly_photo' --output photo.jpg)";

inline constexpr char attachments[] = R"(Examples:
  fieldsync attachments
  fieldsync attachments --free)";

inline constexpr char unlock[] = R"(The key is kept in memory, in a file under $XDG_RUNTIME_DIR that ends with your
session. After its time, or with `lock`, each command asks again.

Example:
  fieldsync unlock --minutes 30)";

inline constexpr char lock[] = R"(Example:
  fieldsync lock)";

inline constexpr char passphrase[] = R"(Asks for the one that opens the store now, and twice for the new one. Who has an
older copy of the store and the older passphrase still opens that copy.

Examples:
  fieldsync passphrase
  fieldsync passphrase --passphrase-file old.txt --new-passphrase-file new.txt)";

inline constexpr char wipe[] = R"(First the keys, at once; then the files. Needs no passphrase, and cannot be
undone: what was not synced is lost. If it is interrupted, run it again.

Example:
  fieldsync wipe --yes)";

}  // namespace fieldsync::cli::examples
