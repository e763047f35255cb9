# embed_file.cmake: turns INPUT into a C++ source that defines, in namespace
# fieldsync::embedded, `extern const std::string_view NAME`.
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT}
"#include <string_view>
namespace fieldsync::embedded {
static const unsigned char bytes_of_${NAME}[] = {${bytes}0};
extern const std::string_view ${NAME};
const std::string_view ${NAME}{reinterpret_cast<const char*>(bytes_of_${NAME}), ${size}};
}
")
