#include "pipeline/pseudonyms.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;

class PseudonymsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orbwatch_pseudonyms_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(folder_ / "state");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string state() const { return path("state"); }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const std::string file = path(name);
    fs::create_directories(fs::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << text;
    EXPECT_EQ(::chmod(file.c_str(), mode), 0);
    return file;
  }
  // Of a key of 64 equal bytes.
  PseudonymKey key(const std::string& byte) const {
    std::string digits;
    for (int i = 0; i < 64; ++i) digits += byte;
    auto loaded = PseudonymKey::load(write("key-" + byte, "orbwatch-pseudonym-key-1 " + digits + "\n"));
    EXPECT_TRUE(loaded) << loaded.error().text();
    return std::move(*loaded);
  }
  std::unique_ptr<Pseudonyms> pseudonyms(bool raw_records = true) const {
    (void)key("11");
    auto opened = Pseudonyms::open({.key_file = path("key-11"), .raw_records = raw_records}, state());
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }

  fs::path folder_;
};

std::string error(const auto& outcome) { return outcome ? "" : outcome.error().text(); }

TEST_F(PseudonymsTest, AKeyFileIsMadeOnceAndForItsOwnerAlone) {
  const std::string file = path("key");
  const auto made = PseudonymKey::make(file);
  ASSERT_TRUE(made) << made.error().text();
  struct stat facts{};
  ASSERT_EQ(::stat(file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  auto first = PseudonymKey::load(file);
  ASSERT_TRUE(first) << first.error().text();

  EXPECT_NE(error(PseudonymKey::make(file)).find("there already"), std::string::npos);
  EXPECT_EQ(PseudonymKey::load(file)->id(), first->id());
  ASSERT_TRUE(PseudonymKey::make(path("another")));
  EXPECT_NE(PseudonymKey::load(path("another"))->id(), first->id());
  EXPECT_FALSE(PseudonymKey::make(path("no/such/folder/key")));
}

TEST_F(PseudonymsTest, AKeyFileThatIsNoneIsRefusedAndNotShown) {
  const std::string digits(128, '5');
  const std::string good = "orbwatch-pseudonym-key-1 " + digits;
  EXPECT_NE(error(PseudonymKey::load(write("open", good, 0644))).find("others may read"), std::string::npos);
  EXPECT_TRUE(PseudonymKey::load(write("group", good, 0440)));  // as systemd hands credentials over
  const auto none = PseudonymKey::load(path("none"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, core::ErrorKind::kInput);
  int number = 0;
  for (const std::string& text :
       {std::string(), digits, good + "5", good.substr(0, good.size() - 1), "orbwatch-pseudonym-key-2 " + digits,
        good.substr(0, good.size() - 1) + "g", good.substr(0, good.size() - 2) + "+5", std::string(100'000, '5')}) {
    const std::string why = error(PseudonymKey::load(write("wrong" + std::to_string(number++), text)));
    EXPECT_NE(why, "") << text;
    EXPECT_EQ(why.find("55555"), std::string::npos) << why;
  }
}

TEST_F(PseudonymsTest, TurnBackWithTheirKeyAlone) {
  PseudonymKey ours = key("11");
  PseudonymKey theirs = key("22");
  for (const std::string& name :
       {std::string("a"), std::string("alice"), std::string("Alice"), std::string("m\xc3\xbcller"), std::string("N/A"),
        std::string("user-alice"), std::string("\xff\0\x1b[31m", 7), std::string(512, 'x')}) {
    const auto pseudonym = ours.pseudonym(name);
    ASSERT_TRUE(pseudonym) << pseudonym.error().text();
    EXPECT_EQ(*pseudonym, *ours.pseudonym(name));
    EXPECT_TRUE(pseudonym->starts_with("user-"));
    EXPECT_EQ(pseudonym->find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 5), pseudonym->npos) << *pseudonym;
    EXPECT_LE(pseudonym->size(), core::kLongestSymbol);
    EXPECT_EQ(ours.reveal(*pseudonym).value(), name);
    EXPECT_NE(*theirs.pseudonym(name), *pseudonym);
    EXPECT_NE(error(theirs.reveal(*pseudonym)).find("this key did not make"), std::string::npos);
  }
  EXPECT_NE(*ours.pseudonym("alice"), *ours.pseudonym("Alice"));
  EXPECT_FALSE(ours.pseudonym(""));
  std::string upper = *ours.pseudonym("alice");
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(ours.reveal(upper).value(), "alice");
}

TEST_F(PseudonymsTest, AreTheSameInEveryVersion) {
  // State and findings of years hang on this one; it must never change.
  EXPECT_EQ(key("11").pseudonym("alice").value(), "user-bad3nagovv47yophtcqgrulpbepjvzupta");
}

TEST_F(PseudonymsTest, OfALongNameTheBeginningCounts) {
  PseudonymKey k = key("11");
  const std::string name(1024, 'x');
  EXPECT_EQ(k.reveal(k.pseudonym(name).value()).value(), name.substr(0, kLongestPseudonymised));
  EXPECT_LE(k.pseudonym(name)->size(), core::kLongestSymbol);
  std::string accents;
  while (accents.size() < 1000) accents += "x\xe2\x82\xac";  // characters are not cut in two
  const std::string back = k.reveal(k.pseudonym(accents).value()).value();
  EXPECT_EQ(back, accents.substr(0, back.size()));
  EXPECT_EQ(back.size() % 4, 0U);
  EXPECT_GT(back.size(), kLongestPseudonymised - 4);
}

TEST_F(PseudonymsTest, HostileTextsAreNoPseudonyms) {
  PseudonymKey k = key("11");
  const std::string good = k.pseudonym("alice").value();
  for (const std::string& text :
       {std::string(), std::string("user-"), std::string("user"), std::string("alice"), std::string("user-a"),
        good + "a", good.substr(0, good.size() - 1), good + "=", good + "\n", good + std::string(1, '\0'), " " + good,
        "USER_" + good.substr(5), "user-" + std::string(40, '1'), "user-" + std::string(5000, 'a'),
        "user-" + std::string(1019, 'a'), "user-\xff\xfe" + good.substr(7), good.substr(5)}) {
    const auto name = k.reveal(text);
    EXPECT_FALSE(name) << text;
    if (!name) {
      EXPECT_LT(name.error().text().size(), 400U);
    }
  }
  for (std::size_t at = 5; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = changed[at] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(k.reveal(changed)) << changed;
  }
}

TEST_F(PseudonymsTest, TakeTheNamesPlaceInEvents) {
  const auto p = pseudonyms();
  event::EventBatch batch;
  const auto add = [&](std::string_view user) -> event::Event& {
    event::Event& e = batch.next();
    e.user = core::intern(user);
    batch.keep();
    return e;
  };
  add("carol").client_host = core::intern("LT-CAROL");
  add("carol").client_host = core::intern("carolspc.corp.example");
  add("al").client_host = core::intern("TERMINAL-1");  // too short to be meant
  add("al").client_host = core::intern("AL-PC");
  add("carol").group = core::intern("carols");  // another word
  add("carol").certificate_subject = core::intern("CN=carol,O=corp");
  add("").client_host = core::intern("LT-CAROL");
  batch[0].observer = core::intern("carol");  // a device
  const std::string carol = p->key().pseudonym("carol").value();
  const std::string al = p->key().pseudonym("al").value();
  ASSERT_TRUE(p->hide(batch));
  EXPECT_EQ(batch[0].user.text(), carol);
  EXPECT_EQ(batch[1].user, batch[0].user);
  EXPECT_EQ(batch[0].client_host.text(), "LT-" + carol);
  EXPECT_EQ(batch[0].observer.text(), "carol");
  EXPECT_EQ(batch[1].client_host.text(), carol + "spc.corp.example");
  EXPECT_EQ(batch[2].client_host.text(), "TERMINAL-1");
  EXPECT_EQ(batch[3].client_host.text(), al + "-PC");
  EXPECT_EQ(batch[4].group.text(), "carols");
  EXPECT_EQ(batch[5].certificate_subject.text(), "CN=" + carol + ",O=corp");
  EXPECT_FALSE(batch[6].user.present());
  EXPECT_EQ(batch[6].client_host.text(), "LT-CAROL");
}

TEST_F(PseudonymsTest, TakeTheNamesPlaceInRawRecords) {
  const auto p = pseudonyms();
  event::EventBatch batch;
  event::Event& e = batch.next();
  e.user = core::intern("carol");
  batch.keep();
  batch.next();
  batch.keep();
  ASSERT_TRUE(p->hide(batch));
  const std::string carol(batch[0].user.text());
  EXPECT_EQ(p->keep(batch[0], "CORP\\CAROL from LT-Carol, carol@corp"),
            "CORP\\" + carol + " from LT-" + carol + ", " + carol + "@corp");
  EXPECT_EQ(p->keep(batch[0], ""), "");
  EXPECT_EQ(p->keep(batch[1], "nobody's line"), "nobody's line");
  // Written in another way: nobody can say what else is in it.
  EXPECT_TRUE(p->keep(batch[0], "user=c%61rol").starts_with("(left out:"));
  // A name must not be cut where the kept part ends.
  const std::string far = std::string(2046, '.') + "carol" + std::string(1 << 20, '.');
  EXPECT_EQ(std::string(p->keep(batch[0], far)).find("ca"), std::string::npos);
  EXPECT_LE(p->keep(batch[0], far).size(), 2048U);
  EXPECT_LE(p->keep(batch[0], "carol" + std::string(1 << 20, 'c')).size(), 2048U);
  // A symbol that is no pseudonym of this process.
  event::Event strange;
  strange.user = core::intern("mallory");
  EXPECT_TRUE(p->keep(strange, "mallory").starts_with("(left out:"));
}

TEST_F(PseudonymsTest, RawRecordsAreLeftOutWhereThatIsWanted) {
  const auto p = pseudonyms(false);
  event::EventBatch batch;
  batch.next().user = core::intern("carol");
  batch.keep();
  batch.next();
  batch.keep();
  ASSERT_TRUE(p->hide(batch));
  EXPECT_TRUE(p->keep(batch[0], "carol").starts_with("(left out:"));
  EXPECT_TRUE(p->keep(batch[1], "a line of nobody that names carol").starts_with("(left out:"));
}

TEST_F(PseudonymsTest, AStateIsOfOneKeyFromItsBeginning) {
  PseudonymKey ours = key("11");
  PseudonymKey theirs = key("22");
  // Without a key nothing is written.
  EXPECT_TRUE(claim_state(state(), nullptr));
  EXPECT_FALSE(fs::exists(state() + "/pseudonyms"));
  // The journal may be there already; empty folders may, too.
  write("state/journal/0", "records");
  fs::create_directory(state() + "/events");
  ASSERT_TRUE(claim_state(state(), &ours));
  EXPECT_TRUE(claim_state(state(), &ours));
  EXPECT_NE(error(claim_state(state(), &theirs)).find("another pseudonym key"), std::string::npos);
  EXPECT_NE(error(claim_state(state(), nullptr)).find("no key is configured"), std::string::npos);
  write("state/checkpoint-1.state", "x");
  EXPECT_TRUE(claim_state(state(), &ours));
  for (const std::string& damage : {std::string(), std::string("x"), std::string(100'000, 'x')}) {
    write("state/pseudonyms", damage);
    EXPECT_FALSE(claim_state(state(), &ours));
    EXPECT_FALSE(claim_state(state(), nullptr));
  }
}

TEST_F(PseudonymsTest, AStateWithPlainNamesIsNotTakenOver) {
  PseudonymKey ours = key("11");
  for (const std::string& file : {std::string("checkpoint-00000000000000000001.state"), std::string("findings.duckdb"),
                                  std::string("events/events-2026-10-05.duckdb"), std::string("outputs/siem/1")}) {
    write("state/" + file, "x");
    EXPECT_NE(error(claim_state(state(), &ours)).find("holds plain names"), std::string::npos) << file;
    EXPECT_TRUE(claim_state(state(), nullptr));
    fs::remove_all(state());
    fs::create_directory(state());
  }
}

}  // namespace
}  // namespace orbwatch::pipeline
