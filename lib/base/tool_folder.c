#define _XOPEN_SOURCE 700 /* readlink */
#include <string.h>
#include <unistd.h>

#include "lib/base/tool.h"

const char *tool_folder(char *to, size_t room)
{
    ssize_t n = readlink("/proc/self/exe", to, room - 1);
    char *slash;
    if (n <= 0 || (size_t)n >= room - 1) /* cut, perhaps */
        return NULL;
    to[n] = '\0';
    slash = strrchr(to, '/');
    if (slash)
        *slash = '\0';
    return slash ? to : NULL;
}
