// SPDX-License-Identifier: GPL-2.0
#include "leases.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../libvpn/address.h"
#include "../libvpn/command.h"
#include "log.h"

#define NSEC_PER_SEC	1000000000ULL
#define TABLE \
	"CREATE TABLE IF NOT EXISTS lease (address TEXT PRIMARY KEY, length INTEGER NOT NULL, public_key BLOB NOT NULL, name TEXT, expires INTEGER NOT NULL) WITHOUT ROWID"

static struct sqlite3 *db;
static bool in_transaction;
static bool lost;			/* something is not saved */

static bool run(const char *sql)
{
	char *said = NULL;

	if (!db)
		return false;
	if (sqlite3_exec(db, sql, NULL, NULL, &said) == SQLITE_OK)
		return true;
	log_event(LEVEL_ERROR, "leases cannot be saved", "reason", said ? said : "unknown");
	sqlite3_free(said);
	return false;
}

int leases_open(const char *path, struct vpn_error *err)
{
	if (sqlite3_open(path, &db) != SQLITE_OK) {
		vpn_error_set(err, VPN_FAULT_SYSTEM, EIO,
			      "the leases '%s' cannot be opened: %s",
			      path,
			      db ? sqlite3_errmsg(db) : "memory is out");
		leases_close();
		return -EIO;
	}
	chmod(path, 0600);
	/* Everything else waits meanwhile; what is missed is saved later. */
	sqlite3_busy_timeout(db, 100);
	if (run("PRAGMA journal_mode = WAL") && run("PRAGMA synchronous = FULL") && run(TABLE))
		return 0;
	leases_close();
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EIO,
			     "the leases '%s' cannot be used; move the file away to begin anew",
			     path);
}

void leases_close(void)
{
	leases_flush();
	sqlite3_close(db);
	db = NULL;
}

bool leases_pending(void)
{
	return in_transaction || lost;
}

/* With no room left, SQLite ends the transaction by itself. */
static void give_up(void)
{
	if (!sqlite3_get_autocommit(db))
		run("ROLLBACK");
	in_transaction = false;
	lost = true;
}

/* When something is lost already, all is written anew, and one line about it is enough. */
static bool begin(void)
{
	if (!db || lost)
		return false;
	if (!in_transaction)
		in_transaction = run("BEGIN IMMEDIATE");
	lost = !in_transaction;
	return in_transaction;
}

void leases_flush(void)
{
	if (in_transaction && !run("COMMIT"))
		give_up();
	in_transaction = false;
}

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK)
		return statement;
	log_event(LEVEL_ERROR, "leases cannot be saved", "reason", sqlite3_errmsg(db));
	give_up();
	return NULL;
}

static void step(sqlite3_stmt *statement)
{
	bool good = sqlite3_step(statement) == SQLITE_DONE;

	if (!good)
		log_event(LEVEL_ERROR, "leases cannot be saved", "reason", sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	if (!good)
		give_up();
}

void leases_note(const struct vpn_lease *lease)
{
	char text[VPN_PREFIX_TEXT];
	sqlite3_stmt *statement;

	if (!lease->has_key || !begin())
		return;
	statement = prepare("INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?)");
	if (!statement)
		return;
	vpn_address_format_host(&lease->address, text);
	sqlite3_bind_text(statement, 1, text, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int(statement, 2, lease->address.prefix_len);
	sqlite3_bind_blob(statement, 3, lease->public_key, VPN_KEY_LEN, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, 4, lease->name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(statement, 5, lease->expires);
	step(statement);
}

void leases_forget(const struct vpn_lease *lease)
{
	char text[VPN_PREFIX_TEXT];
	sqlite3_stmt *statement;

	if (!begin())
		return;
	statement = prepare("DELETE FROM lease WHERE address = ?");
	if (!statement)
		return;
	vpn_address_format_host(&lease->address, text);
	sqlite3_bind_text(statement, 1, text, -1, SQLITE_TRANSIENT);
	step(statement);
}

bool leases_are_kept(void)
{
	return db;
}

void leases_save_all(const char *ifname, bool only_these)
{
	const struct vpn_lease *lease;
	struct vpn_device *dev;
	struct vpn_error err;

	if (!db || vpn_device_get_leases(ifname, &dev, &err))
		return;
	lost = false;
	if (begin() && only_these && !run("DELETE FROM lease"))
		give_up();
	for (lease = dev->leases.first; lease; lease = lease->next)
		leases_note(lease);
	leases_flush();
	vpn_device_free(dev);
}

/* One row; false when it is over, or of another pool. */
static bool read_row(sqlite3_stmt *row, const struct vpn_address *prefix, struct vpn_lease *lease)
{
	const void *key = sqlite3_column_blob(row, 2);
	const char *text = (const char *)sqlite3_column_text(row, 0);

	memset(lease, 0, sizeof(*lease));
	lease->expires = sqlite3_column_int64(row, 4);
	if (!text || !key || sqlite3_column_bytes(row, 2) != VPN_KEY_LEN ||
	    !vpn_address_parse(&lease->address, text) ||
	    !vpn_address_within(prefix, &lease->address) ||
	    (lease->expires && lease->expires <= (uint64_t)time(NULL) * NSEC_PER_SEC))
		return false;
	memcpy(lease->public_key, key, VPN_KEY_LEN);
	lease->has_key = true;
	return true;
}

/* The kernel takes all or none; one that it does not like is no reason to lose the others. */
static void restore_each(const char *ifname, const struct vpn_leases *leases)
{
	struct vpn_lease *lease, copy;
	struct vpn_error err;

	for (lease = leases->first; lease; lease = lease->next) {
		struct vpn_leases one = { &copy, &copy };

		copy = *lease;
		copy.next = NULL;
		if (vpn_lease_restore(ifname, &one, &err))
			log_event(LEVEL_WARNING,
				  "a lease is not restored",
				  "reason", err.text);
	}
}

/* What cannot be read is an error: whatever is not restored is another one's soon. */
static int read_rows(sqlite3_stmt *row, const struct vpn_address *prefix,
		     struct vpn_leases *leases)
{
	struct vpn_lease lease, *added;
	int ret;

	while ((ret = sqlite3_step(row)) == SQLITE_ROW) {
		if (!read_row(row, prefix, &lease))
			continue;
		added = vpn_leases_add(leases);
		if (!added)
			return SQLITE_NOMEM;
		lease.next = added->next;
		*added = lease;
	}
	return ret;
}

int leases_restore(const char *ifname, const struct vpn_address *prefix, struct vpn_error *err)
{
	struct vpn_leases leases = { 0 };
	struct vpn_error refused;
	sqlite3_stmt *row = NULL;
	int ret;

	if (!db)
		return 0;
	ret = sqlite3_prepare_v2(db, "SELECT * FROM lease ORDER BY address", -1, &row, NULL);
	if (ret == SQLITE_OK)
		ret = read_rows(row, prefix, &leases);
	sqlite3_finalize(row);
	if (ret == SQLITE_DONE && leases.first && vpn_lease_restore(ifname, &leases, &refused))
		restore_each(ifname, &leases);
	vpn_leases_free(&leases);
	if (ret == SQLITE_DONE)
		return 0;
	return vpn_error_set(err, VPN_FAULT_SYSTEM, EIO,
			     "the leases '%s' cannot be read: %s; put back a copy of the file, or move it away to begin anew",
			     sqlite3_db_filename(db, NULL), sqlite3_errstr(ret));
}
