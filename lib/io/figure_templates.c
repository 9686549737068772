#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/io/gnuplot.h"

enum rc figure_templates(const char *given, char **dir, struct err *e)
{
    static const char *const beside[] = { "../../paper", "../../../paper",
                                          "../../share/genecompass" };
    char self[4096];
    *dir = NULL;
    if (given) {
        *dir = text_new("%s", given);
        return *dir ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    }
    const char *folder = tool_folder(self, sizeof self);
    for (size_t i = 0; folder && i < sizeof beside / sizeof *beside; i++) {
        char *common = text_new("%s/%s/common.gp", folder, beside[i]);
        bool there = common && file_exists(common);
        free(common);
        if (there) {
            *dir = text_new("%s/%s", folder, beside[i]);
            return *dir ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
        }
    }
    if (!file_exists("paper/common.gp"))
        return err_set(e, RC_FAIL,
                       "no folder paper/ of the sources beside this program (--templates or, of "
                       "`paper`, --text names it)");
    *dir = text_new("paper");
    return *dir ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
}
