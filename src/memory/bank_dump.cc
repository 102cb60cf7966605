// The canonical text of a bank: JSON lines, tables in a fixed order, rows in order of their keys.
// A run's uuid is replaced by its number in order of first appearance; run names, which people
// choose, and vectors, which follow from the text, are left out.
#include <map>

#include "bank_rows.h"
#include "kw/base/json.h"
#include "sqlite_bank.h"

namespace kw::memory {
namespace {

class RunNumbers {
 public:
  int64_t Of(const std::string& run) {
    if (run.empty()) return 0;
    return numbers_.emplace(run, static_cast<int64_t>(numbers_.size()) + 1).first->second;
  }

 private:
  std::map<std::string, int64_t> numbers_;
};

Json ProvenanceJson(const Provenance& from, RunNumbers& runs) {
  return Json{{"run", runs.Of(from.run)},
              {"step", from.step},
              {"ordinal", from.ordinal},
              {"task", from.task},
              {"op_type", from.op_type},
              {"outcome", from.outcome},
              {"candidate_hash", from.candidate_hash},
              {"model", from.model}};
}

void DumpChanges(SQLite::Database& database, RunNumbers& runs, std::string& out) {
  SQLite::Statement select(
      database, "SELECT run, step, sequence, item_ids, rule_ids FROM changes ORDER BY sequence");
  while (select.executeStep()) {
    out += DumpJson(Json{{"change", select.getColumn(2).getInt64()},
                         {"run", runs.Of(select.getColumn(0).getString())},
                         {"step", select.getColumn(1).getString()},
                         {"items", select.getColumn(3).getString()},
                         {"rules", select.getColumn(4).getString()}}) +
           "\n";
  }
}

void DumpItems(SQLite::Database& database, RunNumbers& runs, std::string& out) {
  for (const MemoryItem& item : ReadItems(database, "ORDER BY items.id", {})) {
    out += DumpJson(Json{{"item", item.id},
                         {"sequence", item.sequence},
                         {"title", item.title},
                         {"description", item.description},
                         {"content", item.content},
                         {"uses", item.uses},
                         {"wins", item.wins},
                         {"losses", item.losses},
                         {"merged", item.merged},
                         {"from", ProvenanceJson(item.from, runs)}}) +
           "\n";
  }
  for (const Source& source : ReadSources(database)) {
    if (source.number == 0) continue;
    out += DumpJson(Json{{"merged_into", source.item},
                         {"number", source.number},
                         {"sequence", source.sequence},
                         {"title", source.title},
                         {"description", source.description},
                         {"content", source.content},
                         {"from", ProvenanceJson(source.from, runs)}}) +
           "\n";
  }
}

void DumpRules(SQLite::Database& database, RunNumbers& runs, std::string& out) {
  for (const Rule& rule : ReadRules(database, "", -1, "")) {
    out += DumpJson(Json{{"rule", rule.id},
                         {"sequence", rule.sequence},
                         {"from", ProvenanceJson(rule.from, runs)}}) +
           "\n";
  }
  SQLite::Statement select(
      database,
      "SELECT rule, sequence, change_run, text, state, aligned, misaligned, unknown "
      "FROM rule_versions ORDER BY rule, sequence");
  while (select.executeStep()) {
    out += DumpJson(Json{{"rule_version", select.getColumn(0).getInt64()},
                         {"sequence", select.getColumn(1).getInt64()},
                         {"run", runs.Of(select.getColumn(2).getString())},
                         {"text", select.getColumn(3).getString()},
                         {"state", select.getColumn(4).getString()},
                         {"aligned", select.getColumn(5).getInt64()},
                         {"misaligned", select.getColumn(6).getInt64()},
                         {"unknown", select.getColumn(7).getInt64()}}) +
           "\n";
  }
}

}  // namespace

std::string DumpBank(SQLite::Database& database) {
  const BankState state = ReadState(database);
  std::string out = DumpJson(Json{{"bank", 1},
                                  {"embedder", state.embedder},
                                  {"dimension", state.dimension},
                                  {"sequence", state.sequence}}) +
                    "\n";
  RunNumbers runs;
  DumpChanges(database, runs, out);
  DumpItems(database, runs, out);
  DumpRules(database, runs, out);
  return out;
}

}  // namespace kw::memory
