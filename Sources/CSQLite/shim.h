#pragma once
#include <sqlite3.h>

/* SQLITE_TRANSIENT is a cast that Swift does not import: SQLite copies the text. */
static inline int kb_sqlite_bind_text(sqlite3_stmt *statement, int position, const char *text) {
    return sqlite3_bind_text(statement, position, text, -1, SQLITE_TRANSIENT);
}
