#include "serve/backup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/temp_dir.h"

namespace orbwatch::serve {
namespace {

namespace fs = std::filesystem;
using test::read_file;
using test::TempDir;

class BackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_.write("state/journal/lock", "");
    dir_.write("state/journal/00000000000000000000.journal", std::string(3'000'000, 'j'));
    dir_.write("state/checkpoint-00000000000000000042.orbstate", "checkpoint");
    dir_.write("state/outputs/siem/queue/1", "");
    dir_.write("state/half.partial", "half");
  }
  std::string state() const { return (dir_ / "state").string(); }
  std::string copy() const { return (dir_ / "copy").string(); }
  std::string back() const { return (dir_ / "back").string(); }

  // Takes a backup, spoils it, restores: what is said. Nothing may be left behind.
  template <typename Spoil>
  std::string after(Spoil&& spoil) {
    EXPECT_TRUE(backup(state(), copy()));
    spoil();
    const auto done = restore(copy(), back());
    EXPECT_FALSE(done);
    EXPECT_FALSE(fs::exists(back()));
    EXPECT_FALSE(fs::exists(back() + ".partial"));
    fs::remove_all(copy());
    return done ? "" : done.error().text();
  }

  TempDir dir_;
};

TEST_F(BackupTest, GoesThereAndBack) {
  const auto there = backup(state(), copy());
  ASSERT_TRUE(there) << there.error().text();
  EXPECT_EQ(there->files, 3U);
  EXPECT_EQ(there->bytes, 3'000'010U);
  EXPECT_FALSE(fs::exists(copy() + "/half.partial"));
  EXPECT_FALSE(fs::exists(copy() + "/journal/lock"));
  fs::create_directories(back());  // an empty one is as good as none
  const auto again = restore(copy(), back());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->files, 3U);
  for (const char* file :
       {"journal/00000000000000000000.journal", "checkpoint-00000000000000000042.orbstate", "outputs/siem/queue/1"})
    EXPECT_EQ(read_file(dir_ / "back" / file), read_file(dir_ / "state" / file)) << file;
  EXPECT_FALSE(fs::exists(back() + "/MANIFEST"));
  // And what was restored can be backed up.
  EXPECT_TRUE(backup(back(), (dir_ / "second").string()));
  EXPECT_EQ(read_file(dir_ / "second/MANIFEST"), read_file(dir_ / "copy/MANIFEST"));
}

TEST_F(BackupTest, LeavesARunningServiceAlone) {
  const int lock = ::open((state() + "/journal/lock").c_str(), O_RDWR);
  ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  const auto done = backup(state(), copy());
  ::close(lock);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text().find("the service runs with this state"), std::string::npos);
  EXPECT_FALSE(fs::exists(copy()));
}

TEST_F(BackupTest, RefusesPlacesThatAreNotFree) {
  EXPECT_FALSE(backup(copy(), back()));  // no state
  EXPECT_FALSE(backup(state(), state() + "/copy"));
  EXPECT_FALSE(backup(state(), state()));
  EXPECT_FALSE(fs::exists(state() + "/copy"));
  ASSERT_TRUE(backup(state(), copy()));
  EXPECT_FALSE(backup(state(), copy()));
  const auto full = restore(copy(), state());
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().text().find("is not empty"), std::string::npos);
  EXPECT_FALSE(restore(copy(), copy() + "/back"));
}

TEST_F(BackupTest, NoticesEveryDamage) {
  const std::string journal = copy() + "/journal/00000000000000000000.journal";
  EXPECT_NE(after([&] {
              dir_.write("copy/journal/00000000000000000000.journal", std::string(2'999'999, 'j') + "k");
            }).find("a file of the backup is damaged"),
            std::string::npos);
  EXPECT_NE(after([&] { fs::resize_file(journal, 5); }).find("is damaged"), std::string::npos);
  EXPECT_NE(after([&] { fs::remove(journal); }).find("cannot read"), std::string::npos);
  EXPECT_NE(after([&] { dir_.write("copy/more", "x"); }).find("does not name"), std::string::npos);
  EXPECT_NE(after([&] { fs::remove(copy() + "/MANIFEST"); }).find("this is no backup"), std::string::npos);
  EXPECT_NE(after([&] {
              fs::remove(journal);
              fs::create_symlink("/etc/passwd", journal);
            }).find("neither a file nor a folder"),
            std::string::npos);
  const auto change = [&](const std::string& from, const std::string& to) {
    std::string text = read_file(dir_ / "copy/MANIFEST");
    text.replace(text.find(from), from.size(), to);
    dir_.write("copy/MANIFEST", text);
  };
  EXPECT_NE(after([&] { change("3000000", "3000001"); }).find("manifest is damaged"), std::string::npos);
  EXPECT_NE(after([&] { change("outputs/", "../../u/"); }).find("manifest is damaged"), std::string::npos);
  EXPECT_NE(after([&] { change("\nmanifest ", "\nmanifesto "); }).find("manifest is damaged"), std::string::npos);
}

TEST_F(BackupTest, WhatIsNoFileIsAnError) {
  fs::create_symlink("/etc/passwd", state() + "/link");
  const auto done = backup(state(), copy());
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text().find("neither a file nor a folder"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::serve
