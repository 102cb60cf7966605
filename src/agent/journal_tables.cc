#include "journal_tables.h"

#include <fmt/format.h>

#include <array>

#include "kw/base/json.h"

namespace kw {
namespace {

constexpr int kFormat = 1;

constexpr const char* kSchema = R"sql(
CREATE TABLE run (
  format INTEGER NOT NULL, uuid TEXT NOT NULL, name TEXT NOT NULL, config TEXT NOT NULL,
  prompts_hash TEXT NOT NULL, model TEXT NOT NULL, device TEXT NOT NULL,
  simulated INTEGER NOT NULL, bank_sequence INTEGER NOT NULL, tasks TEXT NOT NULL,
  started_unix_us INTEGER NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL);
CREATE TABLE step (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, input_hash TEXT NOT NULL,
  model_calls INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL,
  finished_unix_us INTEGER NOT NULL, duration_us INTEGER NOT NULL,
  result TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
  step TEXT PRIMARY KEY REFERENCES step(key), change TEXT NOT NULL,
  applied INTEGER NOT NULL DEFAULT 0, ids TEXT NOT NULL DEFAULT '[]') WITHOUT ROWID;
CREATE TABLE epoch (
  epoch INTEGER PRIMARY KEY, memory_items INTEGER NOT NULL, rules INTEGER NOT NULL);
)sql";

// Added later, in this order.
struct UsageColumn {
  const char *name, *type;
};
constexpr std::array<UsageColumn, 7> kUsageColumns = {
    {{"role", "TEXT NOT NULL DEFAULT ''"},
     {"model", "TEXT NOT NULL DEFAULT ''"},
     {"cached_tokens", "INTEGER NOT NULL DEFAULT 0"},
     {"reasoning_tokens", "INTEGER NOT NULL DEFAULT 0"},
     {"estimated_calls", "INTEGER NOT NULL DEFAULT 0"},
     {"stopped_answers", "INTEGER NOT NULL DEFAULT 0"},
     {"saved_tokens", "INTEGER NOT NULL DEFAULT 0"}}};

std::string ListToJson(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  Json list = Json::array();
  for (size_t i = 0; i < a.size(); ++i) list.push_back({{"name", a[i]}, {"hash", b[i]}});
  return DumpJson(list);
}

void InsertHeader(SQLite::Database& db, const RunHeader& header) {
  SQLite::Statement insert(
      db, "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', '')");
  insert.bind(1, kFormat);
  insert.bind(2, header.uuid);
  insert.bind(3, header.name);
  insert.bind(4, header.config);
  insert.bind(5, header.prompts_hash);
  insert.bind(6, header.model_description);
  insert.bind(7, header.device);
  insert.bind(8, header.simulated ? 1 : 0);
  insert.bind(9, header.bank_sequence);
  insert.bind(10, ListToJson(header.tasks, header.task_hashes));
  insert.bind(11, header.started_unix_us);
  insert.exec();
}

void AddColumns(SQLite::Database& db) {
  for (const UsageColumn& column : kUsageColumns) {
    db.exec(fmt::format("ALTER TABLE step ADD COLUMN {} {}", column.name, column.type));
  }
}

// Who asks in a step of this kind.
ModelRole RoleOfKind(const std::string& kind) {
  if (kind == "merge") return ModelRole::kMerger;
  if (kind == "align") return ModelRole::kJudge;
  if (kind == "embed") return ModelRole::kEmbedder;
  if (kind == "items" || kind == "analyse" || kind == "rules") return ModelRole::kExtractor;
  return ModelRole::kAuthor;
}

ModelRole RoleOfStep(const StepRow& step) {
  for (int i = 0; i < kModelRoles; ++i) {
    const auto role = static_cast<ModelRole>(i);
    if (RoleName(role) == step.role) return role;
  }
  return RoleOfKind(step.kind);
}

}  // namespace

void CreateJournalTables(SQLite::Database& db, const RunHeader& header) {
  db.exec(kSchema);
  AddColumns(db);
  InsertHeader(db, header);
}

Result<RunHeader> ReadHeader(SQLite::Database& db) {
  if (!db.tableExists("run")) {
    return Fail(ErrorCode::kCorrupt, "run.db is no run journal, or its run never began");
  }
  SQLite::Statement query(db,
                          "SELECT format, uuid, name, config, prompts_hash, model, device, "
                          "simulated, bank_sequence, tasks, started_unix_us FROM run");
  if (!query.executeStep()) return Fail(ErrorCode::kCorrupt, "the run journal has no header");
  if (query.getColumn(0).getInt() != kFormat) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("the run journal has format {}; this program reads format {}",
                            query.getColumn(0).getInt(), kFormat));
  }
  RunHeader header;
  header.uuid = query.getColumn(1).getString();
  header.name = query.getColumn(2).getString();
  header.config = query.getColumn(3).getString();
  header.prompts_hash = query.getColumn(4).getString();
  header.model_description = query.getColumn(5).getString();
  header.device = query.getColumn(6).getString();
  header.simulated = query.getColumn(7).getInt() != 0;
  header.bank_sequence = query.getColumn(8).getInt64();
  KW_ASSIGN(Json tasks, ParseJson(query.getColumn(9).getString(), "the run's tasks"));
  if (!tasks.is_array()) return Fail(ErrorCode::kCorrupt, "the run's tasks are no list");
  for (const Json& task : tasks) {
    ObjectReader reader(task, "the run's tasks");
    KW_ASSIGN(header.task_hashes.emplace_back(), reader.Required<std::string>("hash"));
    KW_ASSIGN(header.tasks.emplace_back(), reader.Required<std::string>("name"));
  }
  header.started_unix_us = query.getColumn(10).getInt64();
  return header;
}

bool HasUsageColumns(SQLite::Database& db) {
  return db.execAndGet("SELECT COUNT(*) FROM pragma_table_info('step') WHERE name = 'saved_tokens'")
             .getInt() > 0;
}

void AddUsageColumns(SQLite::Database& db) {
  SQLite::Transaction transaction(db);
  AddColumns(db);
  transaction.commit();
}

std::string SelectSteps(bool has_usage_columns, bool with_results) {
  return fmt::format(
      "SELECT key, kind, input_hash, {}, model_calls, prompt_tokens, completion_tokens, cost_usd, "
      "finished_unix_us, duration_us, {} FROM step",
      with_results ? "result" : "''",
      has_usage_columns ? "role, model, cached_tokens, reasoning_tokens, estimated_calls, "
                          "stopped_answers, saved_tokens"
                        : "'', '', 0, 0, 0, 0, 0");
}

StepRow ReadStep(SQLite::Statement& query) {
  StepRow row;
  row.key = query.getColumn(0).getString();
  row.kind = query.getColumn(1).getString();
  row.input_hash = query.getColumn(2).getString();
  row.result = query.getColumn(3).getString();
  row.model_calls = query.getColumn(4).getInt64();
  row.prompt_tokens = query.getColumn(5).getInt64();
  row.completion_tokens = query.getColumn(6).getInt64();
  row.cost_usd = query.getColumn(7).getDouble();
  row.finished_unix_us = query.getColumn(8).getInt64();
  row.duration_us = query.getColumn(9).getInt64();
  row.role = query.getColumn(10).getString();
  row.model = query.getColumn(11).getString();
  row.cached_tokens = query.getColumn(12).getInt64();
  row.reasoning_tokens = query.getColumn(13).getInt64();
  row.estimated_calls = query.getColumn(14).getInt64();
  row.stopped_answers = query.getColumn(15).getInt64();
  row.saved_tokens = query.getColumn(16).getInt64();
  return row;
}

void InsertStep(SQLite::Database& db, const StepRow& row) {
  SQLite::Statement insert(
      db,
      "INSERT INTO step (key, kind, input_hash, result, role, model, cost_usd, model_calls, "
      "prompt_tokens, completion_tokens, finished_unix_us, duration_us, cached_tokens, "
      "reasoning_tokens, estimated_calls, stopped_answers, saved_tokens) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  int place = 0;
  for (const std::string* text :
       {&row.key, &row.kind, &row.input_hash, &row.result, &row.role, &row.model}) {
    insert.bind(++place, *text);
  }
  insert.bind(++place, row.cost_usd);
  for (const int64_t number :
       {row.model_calls, row.prompt_tokens, row.completion_tokens, row.finished_unix_us,
        row.duration_us, row.cached_tokens, row.reasoning_tokens, row.estimated_calls,
        row.stopped_answers, row.saved_tokens}) {
    insert.bind(++place, number);
  }
  insert.exec();
}

void AddUsageOf(const StepRow& step, UsageByRole& usage) {
  if (step.model_calls == 0) return;
  Usage of_step = {.calls = step.model_calls,
                   .prompt_tokens = step.prompt_tokens,
                   .completion_tokens = step.completion_tokens,
                   .cached_tokens = step.cached_tokens,
                   .reasoning_tokens = step.reasoning_tokens,
                   .estimated_calls = step.estimated_calls,
                   .cost_usd = step.cost_usd,
                   .stopped_answers = step.stopped_answers,
                   .saved_tokens = step.saved_tokens};
  if (!step.model.empty()) of_step.models.insert(step.model);
  usage[RoleOfStep(step)] += of_step;
}

}  // namespace kw
