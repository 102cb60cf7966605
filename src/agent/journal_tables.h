// The tables of a run journal, and their rows. All of these throw SQLite::Exception.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

#include "journal.h"

namespace kw {

void CreateJournalTables(SQLite::Database& db, const RunHeader& header);
[[nodiscard]] Result<RunHeader> ReadHeader(SQLite::Database& db);

// Journals of before lack the columns that say who asked which model.
bool HasUsageColumns(SQLite::Database& db);
void AddUsageColumns(SQLite::Database& db);

// "SELECT ... FROM step", for ReadStep. Without them results are left empty.
std::string SelectSteps(bool has_usage_columns, bool with_results);
StepRow ReadStep(SQLite::Statement& query);
void InsertStep(SQLite::Database& db, const StepRow& row);

// Adds what a step used to that of its role; of a journal of before, by the step's kind.
void AddUsageOf(const StepRow& step, UsageByRole& usage);

}  // namespace kw
