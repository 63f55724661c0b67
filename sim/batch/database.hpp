#pragma once
/// SQLite, with what is asked of it here: statements whose handles end by themselves, and errors that cannot be overlooked.
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vmbsim::batch {

class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  int code() const { return code_; }  ///< SQLite's primary one
  /// The file is no database, or a part of it is not what was written.
  bool damaged() const { return code_ == SQLITE_CORRUPT || code_ == SQLITE_NOTADB; }

 private:
  int code_;
};

class Database {
 public:
  enum class Mode : std::uint8_t { read, write };
  /// Makes the file when it is to be written and is not there. Throws DatabaseError, as every function here.
  Database(const std::filesystem::path& file, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const char* sql);
  sqlite3* handle() const { return handle_; }
  [[noreturn]] void fail(int code) const;

 private:
  sqlite3* handle_ = nullptr;
};

/// One prepared statement. Columns and parameters count from 0.
class Statement {
 public:
  Statement(const Database& database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int parameter, std::int64_t value);
  void bind(int parameter, std::string_view text);
  void bind_bytes(int parameter, std::string_view bytes);
  /// True: there is a row. False: the end.
  bool next();
  /// To run it once more.
  void reset();

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  /// Until the next step.
  std::string_view bytes(int column) const;

 private:
  const Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace vmbsim::batch
