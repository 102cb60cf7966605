#include "bank_rows.h"

namespace kw::memory {
namespace {

// run, run_name, step, ordinal, task, op_type, outcome, candidate_hash, model
Provenance ReadProvenance(SQLite::Statement& row, int first) {
  Provenance from;
  from.run = row.getColumn(first).getString();
  from.run_name = row.getColumn(first + 1).getString();
  from.step = row.getColumn(first + 2).getString();
  from.ordinal = row.getColumn(first + 3).getInt();
  from.task = row.getColumn(first + 4).getString();
  from.op_type = row.getColumn(first + 5).getString();
  from.outcome = row.getColumn(first + 6).getString();
  from.candidate_hash = row.getColumn(first + 7).getString();
  from.model = row.getColumn(first + 8).getString();
  return from;
}

}  // namespace

void BindProvenance(SQLite::Statement& statement, int first, const Provenance& from) {
  statement.bind(first, from.run);
  statement.bind(first + 1, from.run_name);
  statement.bind(first + 2, from.step);
  statement.bind(first + 3, from.ordinal);
  statement.bind(first + 4, from.task);
  statement.bind(first + 5, from.op_type);
  statement.bind(first + 6, from.outcome);
  statement.bind(first + 7, from.candidate_hash);
  statement.bind(first + 8, from.model);
}

std::vector<MemoryItem> ReadItems(SQLite::Database& database, const std::string& where,
                                  const std::vector<int64_t>& values) {
  SQLite::Statement select(
      database,
      "SELECT items.id, items.title, items.description, items.content, items.sequence, uses, wins,"
      " losses, merged, run, run_name, step, ordinal, sources.task, sources.op_type,"
      " sources.outcome, candidate_hash, model"
      " FROM items JOIN sources ON sources.item = items.id AND sources.number = 0 " +
          where);
  for (size_t i = 0; i < values.size(); ++i) select.bind(static_cast<int>(i) + 1, values[i]);
  std::vector<MemoryItem> items;
  while (select.executeStep()) {
    MemoryItem item;
    item.id = select.getColumn(0).getInt64();
    item.title = select.getColumn(1).getString();
    item.description = select.getColumn(2).getString();
    item.content = select.getColumn(3).getString();
    item.sequence = select.getColumn(4).getInt64();
    item.uses = select.getColumn(5).getInt64();
    item.wins = select.getColumn(6).getInt64();
    item.losses = select.getColumn(7).getInt64();
    item.merged = select.getColumn(8).getInt64();
    item.from = ReadProvenance(select, 9);
    items.push_back(std::move(item));
  }
  return items;
}

std::vector<Source> ReadSources(SQLite::Database& database) {
  SQLite::Statement select(
      database,
      "SELECT item, number, sequence, change_run, title, description, content, run, run_name, step,"
      " ordinal, task, op_type, outcome, candidate_hash, model FROM sources ORDER BY item, number");
  std::vector<Source> sources;
  while (select.executeStep()) {
    Source source;
    source.item = select.getColumn(0).getInt64();
    source.number = select.getColumn(1).getInt64();
    source.sequence = select.getColumn(2).getInt64();
    source.change_run = select.getColumn(3).getString();
    source.title = select.getColumn(4).getString();
    source.description = select.getColumn(5).getString();
    source.content = select.getColumn(6).getString();
    source.from = ReadProvenance(select, 7);
    sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<Rule> ReadRules(SQLite::Database& database, const std::string& state, int64_t as_of,
                            const std::string& own_run) {
  SQLite::Statement select(
      database,
      "SELECT rules.id, text, state, aligned, misaligned, unknown, rules.sequence, run, run_name,"
      " step, ordinal, task, op_type, outcome, candidate_hash, model"
      " FROM rules JOIN rule_versions AS v ON v.rule = rules.id"
      " WHERE v.sequence = (SELECT max(w.sequence) FROM rule_versions AS w WHERE w.rule = rules.id"
      "   AND (?1 < 0 OR w.sequence <= ?1 OR (?2 <> '' AND w.change_run = ?2)))"
      " AND (?3 = '' OR state = ?3) ORDER BY rules.id");
  select.bind(1, as_of);
  select.bind(2, own_run);
  select.bind(3, state);
  std::vector<Rule> rules;
  while (select.executeStep()) {
    Rule rule;
    rule.id = select.getColumn(0).getInt64();
    rule.text = select.getColumn(1).getString();
    rule.state = select.getColumn(2).getString();
    rule.aligned = select.getColumn(3).getInt64();
    rule.misaligned = select.getColumn(4).getInt64();
    rule.unknown = select.getColumn(5).getInt64();
    rule.sequence = select.getColumn(6).getInt64();
    rule.from = ReadProvenance(select, 7);
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace kw::memory
