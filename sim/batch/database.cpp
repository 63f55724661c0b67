#include "sim/batch/database.hpp"

namespace vmbsim::batch {

namespace {
constexpr int patience_ms = 30'000;  // for whoever reads or writes the same file
}

Database::Database(const std::filesystem::path& file, Mode mode) {
  const int flags = mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
  int code = sqlite3_open_v2(file.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  // A folder that nobody may write to can be read all the same.
  if (code == SQLITE_CANTOPEN && mode == Mode::read) {
    sqlite3_close(handle_);
    code = sqlite3_open_v2(file.c_str(), &handle_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  }
  if (code != SQLITE_OK) {
    const DatabaseError error(code, handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_));
    sqlite3_close(handle_);
    throw error;
  }
  sqlite3_busy_timeout(handle_, patience_ms);
}

Database::~Database() { sqlite3_close(handle_); }

void Database::fail(int code) const { throw DatabaseError(code & 0xFF, sqlite3_errmsg(handle_)); }

void Database::run(const char* sql) {
  if (const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

Statement::Statement(const Database& database, const char* sql) : database_(database) {
  if (const int code = sqlite3_prepare_v2(database.handle(), sql, -1, &statement_, nullptr); code != SQLITE_OK)
    database.fail(code);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::bind(int parameter, std::int64_t value) { sqlite3_bind_int64(statement_, parameter + 1, value); }

void Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_, parameter + 1, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::bind_bytes(int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(statement_, parameter + 1, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

bool Statement::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const DatabaseError error(code & 0xFF, sqlite3_errmsg(database_.handle()));
  sqlite3_reset(statement_);
  throw error;
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::string_view Statement::bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

}  // namespace vmbsim::batch
