// Reads data/models/simulated_author.toml.
#include <fmt/format.h>

#include "kw/base/file.h"
#include "kw/base/json.h"
#include "lexicon.h"

namespace kw::author {

class LexiconReader {
 public:
  LexiconReader(Lexicon& lexicon, std::string file) : lexicon_(lexicon), file_(std::move(file)) {}

  Result<void> Read(const Json& json) {
    ObjectReader reader(json, file_);
    KW_ASSIGN(const int64_t version, reader.Required<int64_t>("version"));
    if (version != 1) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}: version {} is not 1", file_, version));
    }
    KW_TRY(ReadEffects(reader));
    KW_TRY(ReadGeneric(reader));
    KW_ASSIGN(const Json* mistakes, Object(reader, "mistakes"));
    ObjectReader all_mistakes(*mistakes, file_ + ": mistakes");
    for (int i = 0; i < kMistakes; ++i) {
      KW_TRY(ReadMistake(all_mistakes, static_cast<Mistake>(i)));
    }
    KW_TRY(all_mistakes.RejectUnknown());
    KW_ASSIGN(const Json* pieces, Object(reader, "pieces"));
    ObjectReader all_pieces(*pieces, file_ + ": pieces");
    for (int i = 0; i < kPieces; ++i) KW_TRY(ReadPiece(all_pieces, static_cast<Piece>(i)));
    KW_TRY(all_pieces.RejectUnknown());
    return reader.RejectUnknown();
  }

 private:
  Result<const Json*> Object(ObjectReader& reader, const std::string& key) {
    const Json* found = reader.Find(key);
    if (!found || !found->is_object()) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("{}: table '{}' is missing", reader.where(), key));
    }
    return found;
  }

  Result<void> ReadEffects(ObjectReader& file) {
    KW_ASSIGN(const Json* json, Object(file, "effects"));
    ObjectReader reader(*json, file_ + ": effects");
    Effects& e = lexicon_.effects_;
    const std::pair<const char*, double*> keys[] = {
        {"warn", &e.warn},
        {"care", &e.care},
        {"care_cap", &e.care_cap},
        {"advise", &e.advise},
        {"dissuade", &e.dissuade},
        {"mention", &e.mention},
        {"contract", &e.contract},
        {"heat", &e.heat},
        {"repair_named", &e.repair_named},
        {"repair_unnamed", &e.repair_unnamed},
        {"fresh", &e.fresh},
        {"explore", &e.explore},
        {"see_named", &e.see_named},
        {"see_unnamed", &e.see_unnamed},
        {"generic_item", &e.generic_item},
        {"ambiguous_judge", &e.ambiguous_judge},
        {"misjudge", &e.misjudge},
    };
    for (const auto& [key, value] : keys) {
      KW_ASSIGN(*value, reader.Required<double>(key));
      if (!(*value >= 0 && *value < 100)) {
        return Fail(ErrorCode::kInvalid,
                    fmt::format("{}: effects.{} = {} is not in [0, 100)", file_, key, *value));
      }
    }
    return reader.RejectUnknown();
  }

  Result<std::vector<ItemText>> ReadItems(const Json& json, const std::string& where) {
    std::vector<ItemText> items;
    if (!json.is_array()) return Fail(ErrorCode::kInvalid, where + " is no array");
    for (const Json& one : json) {
      ObjectReader reader(one, where);
      ItemText item;
      KW_ASSIGN(item.title, reader.Required<std::string>("title"));
      KW_ASSIGN(item.description, reader.Required<std::string>("description"));
      KW_ASSIGN(item.content, reader.Required<std::string>("content"));
      KW_TRY(reader.RejectUnknown());
      items.push_back(std::move(item));
    }
    return items;
  }

  Result<void> ReadGeneric(ObjectReader& file) {
    KW_ASSIGN(const Json* json, Object(file, "generic"));
    ObjectReader reader(*json, file_ + ": generic");
    KW_ASSIGN(lexicon_.generic_rules_, reader.Required<std::vector<std::string>>("rules"));
    const Json* items = reader.Find("items");
    if (!items) return Fail(ErrorCode::kInvalid, file_ + ": generic.items is missing");
    KW_ASSIGN(lexicon_.generic_items_, ReadItems(*items, file_ + ": generic.items"));
    if (lexicon_.generic_items_.empty() || lexicon_.generic_rules_.empty()) {
      return Fail(ErrorCode::kInvalid, file_ + ": generic.items and .rules must not be empty");
    }
    return reader.RejectUnknown();
  }

  // A number for all families, or a table with one for each.
  Result<std::array<double, 3>> PerFamily(ObjectReader& reader, const std::string& key,
                                          double most) {
    std::array<double, 3> values{};
    const Json* json = reader.Find(key);
    if (!json) return values;
    auto check = [&](double value) -> Result<double> {
      if (value >= 0 && value <= most) return value;
      return Fail(ErrorCode::kInvalid,
                  fmt::format("{}: {} = {} is not in [0, {}]", reader.where(), key, value, most));
    };
    if (json->is_number()) {
      KW_ASSIGN(const double value, check(json->get<double>()));
      values.fill(value);
      return values;
    }
    ObjectReader families(*json, reader.where() + "." + key);
    for (int i = 0; i < 3; ++i) {
      KW_ASSIGN(const double value,
                families.Optional<double>(std::string(FamilyName(static_cast<Family>(i))), 0.0));
      KW_ASSIGN(values[static_cast<size_t>(i)], check(value));
    }
    KW_TRY(families.RejectUnknown());
    return values;
  }

  Result<void> ReadWords(ObjectReader& reader, Concept about) {
    for (const bool symptom : {false, true}) {
      KW_ASSIGN(const std::vector<std::string> patterns,
                reader.Optional<std::vector<std::string>>(symptom ? "symptoms" : "words", {}));
      for (const std::string& pattern : patterns) {
        if (auto added = lexicon_.AddPattern(pattern, about, symptom); !added) {
          return Fail(std::move(added).error().While(reader.where()));
        }
      }
    }
    ConceptText& text = lexicon_.texts_[static_cast<size_t>(about)];
    KW_ASSIGN(text.rules, reader.Optional<std::vector<std::string>>("rules", {}));
    KW_ASSIGN(text.finding, reader.Optional<std::string>("finding", ""));
    if (const Json* items = reader.Find("items")) {
      KW_ASSIGN(text.items, ReadItems(*items, reader.where() + ".items"));
    }
    return reader.RejectUnknown();
  }

  Result<void> ReadMistake(ObjectReader& all, Mistake mistake) {
    const std::string name(MistakeName(mistake));
    KW_ASSIGN(const Json* json, Object(all, name));
    ObjectReader reader(*json, all.where() + "." + name);
    KW_ASSIGN(lexicon_.rates_[static_cast<size_t>(mistake)], PerFamily(reader, "rate", 0.99));
    return ReadWords(reader, ConceptOf(mistake));
  }

  Result<void> ReadPiece(ObjectReader& all, Piece piece) {
    const std::string name(PieceName(piece));
    KW_ASSIGN(const Json* json, Object(all, name));
    ObjectReader reader(*json, all.where() + "." + name);
    KW_ASSIGN(lexicon_.weights_[static_cast<size_t>(piece)], PerFamily(reader, "weight", 1000));
    KW_ASSIGN(lexicon_.speeds_[static_cast<size_t>(piece)], reader.Optional<double>("speed", 0.0));
    return ReadWords(reader, ConceptOf(piece));
  }

  Lexicon& lexicon_;
  std::string file_;
};

Result<Lexicon> Lexicon::Load(const std::string& file) {
  KW_ASSIGN(const std::string text, ReadFile(file, 1 << 20));
  KW_ASSIGN(const Json json, ParseToml(text, file));
  Lexicon lexicon;
  KW_TRY(LexiconReader(lexicon, file).Read(json));
  return lexicon;
}

}  // namespace kw::author
