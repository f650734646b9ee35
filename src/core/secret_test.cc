#include "core/secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temp_dir.h"

namespace orbwatch::core {
namespace {

namespace fs = std::filesystem;

TEST(Secret, IsReadFromAFileOfItsOwnersOnly) {
  const test::TempDir dir;
  const auto file = dir.write("secret", "hush\r\n");
  fs::permissions(file, fs::perms::owner_read);
  EXPECT_EQ(*read_secret(file), "hush");
  fs::permissions(file, fs::perms::owner_read | fs::perms::others_read);
  const auto open_to_all = read_secret(file);
  ASSERT_FALSE(open_to_all);
  EXPECT_EQ(open_to_all.error().text().find("hush"), std::string::npos);
  fs::permissions(file, fs::perms::owner_all);
  for (const std::string& text : {std::string(), std::string("\n"), std::string("hush\nX-Forged: yes"),
                                  std::string("a\0b", 3), std::string(4097, 'x')}) {
    dir.write("secret", text);
    const auto wrong = read_secret(file);
    ASSERT_FALSE(wrong) << text;
    EXPECT_EQ(wrong.error().text().find("hush"), std::string::npos);
    EXPECT_NE(wrong.error().text().find(file.string()), std::string::npos);
  }
  EXPECT_FALSE(read_secret(dir / "none"));
  EXPECT_FALSE(read_secret(dir.path()));
}

TEST(Secret, InAPipeHoldsNobody) {
  const test::TempDir dir;
  const auto pipe = dir / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(read_secret(pipe));
}

TEST(Secret, OfAVariableObeysTheSameRules) {
  EXPECT_EQ(*checked_secret("hush\n", "KEY"), "hush");
  const auto wrong = checked_secret("hu\tsh", "KEY");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().text(), "the secret in KEY holds control characters");
}

}  // namespace
}  // namespace orbwatch::core
