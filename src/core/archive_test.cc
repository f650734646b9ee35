#include "core/archive.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "support/temp_dir.h"

namespace orbwatch::core {
namespace {

enum class Colour : std::uint8_t { kRed, kGreen, kBlue };

struct Leaf {
  std::string name;
  double weight = 0;
  friend bool operator==(const Leaf&, const Leaf&) = default;
};
template <typename A>
void persist(A& a, Leaf& leaf) {
  a(leaf.name, leaf.weight);
}

struct Tree {
  bool truth = false;
  std::int16_t small = 0;
  std::int64_t large = 0;
  std::uint64_t huge = 0;
  float real = 0;
  Colour colour = Colour::kRed;
  Symbol symbol;
  Symbol again;
  std::uint32_t id = 0;
  Ip v4, v6, none;
  std::string text;
  std::string_view constant;
  std::array<std::uint32_t, 130> sparse{};
  std::uint64_t plain[3] = {};
  std::array<Leaf, 2> leaves;
  std::vector<Leaf> vector;
  std::deque<std::pair<std::int64_t, Leaf>> deque;
  std::optional<Leaf> some, nothing;
  std::unique_ptr<Leaf> pointer;
  absl::flat_hash_map<Symbol, std::unique_ptr<Leaf>> hashed;
  absl::flat_hash_set<std::string> set;
  std::map<std::string, std::uint64_t> map;
};
template <typename A>
void persist(A& a, Tree& t) {
  a.section("tree", 3);
  a(t.truth, t.small, t.large, t.huge, t.real, t.symbol, t.again, t.v4, t.v6, t.none, t.text, t.sparse, t.plain);
  a.enumeration(t.colour, Colour::kBlue);
  a.symbol_id(t.id);
  a.constant(t.constant);
  a(t.leaves, t.vector, t.deque, t.some, t.nothing, t.pointer, t.hashed, t.set, t.map);
}

Tree grown() {
  Tree t;
  t.truth = true;
  t.small = -32768;
  t.large = std::numeric_limits<std::int64_t>::min();
  t.huge = UINT64_MAX;
  t.real = -0.1F;
  t.colour = Colour::kBlue;
  t.symbol = t.again = intern("alice");
  t.id = intern("fw1").id();
  t.v4 = *Ip::parse("192.0.2.1");
  t.v6 = *Ip::parse("2001:db8::1");
  t.text = std::string("a\0b", 3);
  t.constant = "new-network";
  t.sparse[0] = 1;
  t.sparse[63] = 2;
  t.sparse[64] = 3;
  t.sparse[129] = UINT32_MAX;
  t.plain[1] = 7;
  t.leaves[1] = {"leaf", 1.5};
  t.vector = {{"one", 1}, {"two", std::numeric_limits<double>::infinity()}};
  t.deque = {{-5, {"three", 3}}};
  t.some = Leaf{"some", 4};
  t.pointer = std::make_unique<Leaf>(Leaf{"held", 5});
  t.hashed[intern("bob")] = std::make_unique<Leaf>(Leaf{"bob's", 6});
  t.hashed[intern("carol")] = nullptr;
  t.set = {"x", "y"};
  t.map = {{"k", 1}, {"l", 2}};
  return t;
}

void expect_grown(const Tree& t) {
  const Tree g = grown();
  EXPECT_EQ(t.truth, g.truth);
  EXPECT_EQ(t.small, g.small);
  EXPECT_EQ(t.large, g.large);
  EXPECT_EQ(t.huge, g.huge);
  EXPECT_EQ(t.real, g.real);
  EXPECT_EQ(t.colour, g.colour);
  EXPECT_EQ(t.symbol, g.symbol);
  EXPECT_EQ(t.again, g.again);
  EXPECT_EQ(t.id, g.id);
  EXPECT_EQ(t.v4, g.v4);
  EXPECT_EQ(t.v6, g.v6);
  EXPECT_FALSE(t.none.present());
  EXPECT_EQ(t.text, g.text);
  EXPECT_EQ(t.constant, g.constant);
  EXPECT_EQ(t.sparse, g.sparse);
  EXPECT_EQ(t.plain[0], 0U);
  EXPECT_EQ(t.plain[1], 7U);
  EXPECT_EQ(t.leaves, g.leaves);
  EXPECT_EQ(t.vector, g.vector);
  EXPECT_EQ(t.deque, g.deque);
  EXPECT_EQ(t.some, g.some);
  EXPECT_EQ(t.nothing, std::nullopt);
  ASSERT_NE(t.pointer, nullptr);
  EXPECT_EQ(*t.pointer, *g.pointer);
  ASSERT_EQ(t.hashed.size(), 2U);
  EXPECT_EQ(*t.hashed.at(intern("bob")), (Leaf{"bob's", 6}));
  EXPECT_EQ(t.hashed.at(intern("carol")), nullptr);
  EXPECT_EQ(t.set, g.set);
  EXPECT_EQ(t.map, g.map);
}

std::string bytes_of(const auto&... values) {
  ArchiveWriter writer;
  writer(values...);
  EXPECT_TRUE(writer.finish());
  return writer.take();
}

Expected<Tree> read(std::string_view bytes) {
  ArchiveReader reader(bytes);
  Tree tree;
  tree.sparse.fill(9);  // what is zero must become zero
  tree.plain[0] = 9;
  reader(tree);
  if (auto done = reader.finish(); !done) return std::unexpected(done.error());
  return tree;
}

TEST(Archive, GivesBackWhatWasWritten) {
  const auto tree = read(bytes_of(grown()));
  ASSERT_TRUE(tree) << tree.error().text();
  expect_grown(*tree);
}

TEST(Archive, ASymbolIsWrittenOnce) {
  const std::string name(200, 'n');
  const std::string bytes = bytes_of(intern(name), intern(name), intern(name));
  EXPECT_LT(bytes.size(), 2 * name.size());
}

TEST(Archive, EveryPrefixIsRefused) {
  const std::string bytes = bytes_of(grown());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto tree = read(std::string_view(bytes).substr(0, n));
    ASSERT_FALSE(tree) << n;
    EXPECT_FALSE(tree.error().hint.empty());
  }
  EXPECT_FALSE(read(bytes + '\0'));
}

TEST(Archive, EveryBitCounts) {
  const std::string bytes = bytes_of(grown());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(read(damaged)) << bit;
  }
}

TEST(Archive, BlocksCannotChangePlaces) {
  const std::string large(1 << 20, 'x');
  std::string bytes = bytes_of(large);
  constexpr std::size_t kHeader = 12, kBlock = 8 + (256 << 10);
  std::string swapped = bytes;
  swapped.replace(kHeader, kBlock, bytes, kHeader + kBlock, kBlock);
  swapped.replace(kHeader + kBlock, kBlock, bytes, kHeader, kBlock);
  std::string missing = bytes;
  missing.erase(kHeader + kBlock, kBlock);
  for (const std::string& damaged : {swapped, missing}) {
    ArchiveReader reader(damaged);
    std::string text;
    reader(text);
    EXPECT_FALSE(reader.finish());
  }
}

TEST(Archive, ValuesLieOverBlocks) {
  std::vector<std::string> texts;
  std::vector<Ip> ips;
  for (std::uint32_t i = 0; i < 30000; ++i) {
    texts.push_back(std::string(i % 97, 'a'));
    ips.push_back(i % 2 == 0 ? Ip::v4(i) : *Ip::parse("2001:db8::" + std::to_string(i % 10)));
  }
  const std::string bytes = bytes_of(texts, ips);
  ASSERT_GT(bytes.size(), std::size_t{1} << 20);
  ArchiveReader reader(bytes);
  std::vector<std::string> texts_read;
  std::vector<Ip> ips_read;
  reader(texts_read, ips_read);
  ASSERT_TRUE(reader.finish());
  EXPECT_EQ(texts_read, texts);
  EXPECT_EQ(ips_read, ips);
}

TEST(Archive, AForgedLengthAllocatesNothing) {
  // A vector and a text of 2^62 elements, with sound checksums.
  const std::string bytes = bytes_of(std::uint64_t{1} << 62, std::uint64_t{1});
  ArchiveReader as_vector(bytes);
  std::vector<Leaf> leaves;
  as_vector(leaves);
  EXPECT_FALSE(as_vector.ok());
  EXPECT_TRUE(leaves.empty());
  ArchiveReader as_text(bytes);
  std::string text;
  as_text(text);
  EXPECT_FALSE(as_text.ok());
  ArchiveReader as_map(bytes);
  absl::flat_hash_map<std::uint64_t, Leaf> map;
  as_map(map);
  EXPECT_FALSE(as_map.ok());
}

TEST(Archive, RefusesWhatIsOutOfRange) {
  const auto refused = [](const std::string& bytes, auto&& use) {
    ArchiveReader reader(bytes);
    use(reader);
    return !reader.ok();
  };
  EXPECT_TRUE(refused(bytes_of(std::uint64_t{300}), [](auto& a) {
    std::uint16_t fits = 0;
    a(fits);
    EXPECT_EQ(fits, 300);
    std::uint8_t end = 0;
    a(end);
  }));
  EXPECT_TRUE(refused(bytes_of(std::uint64_t{70000}), [](auto& a) {
    std::uint16_t v = 0;
    a(v);
  }));
  EXPECT_TRUE(refused(bytes_of(std::int64_t{-32769}), [](auto& a) {
    std::int16_t v = 0;
    a(v);
  }));
  EXPECT_TRUE(refused(bytes_of(std::uint8_t{3}), [](auto& a) {
    Colour c = Colour::kGreen;
    a.enumeration(c, Colour::kBlue);
    EXPECT_EQ(c, Colour::kRed);
  }));
  EXPECT_TRUE(refused(bytes_of(std::uint8_t{2}), [](auto& a) {
    bool v = false;
    a(v);
  }));
  EXPECT_TRUE(refused(bytes_of(std::numeric_limits<double>::quiet_NaN()), [](auto& a) {
    double v = 1;
    a(v);
    EXPECT_EQ(v, 0);
  }));
  EXPECT_TRUE(refused(bytes_of(std::int64_t{-1}), [](auto& a) {
    Nanoseconds v = 0;
    a.moment(v);
  }));
  EXPECT_TRUE(refused(bytes_of(std::uint64_t{5}), [](auto& a) {  // the fifth name before the first
    Symbol v;
    a(v);
  }));
  EXPECT_TRUE(refused(bytes_of(std::uint64_t{8}), [](auto& a) {
    std::array<float, 3> v{};
    a(v);
  }));
  EXPECT_TRUE(refused(bytes_of(std::vector<std::uint32_t>{7, 7}), [](auto& a) {
    absl::flat_hash_set<std::uint32_t> v;
    a(v);
  }));
}

TEST(Archive, AnotherLayoutIsRefusedByName) {
  ArchiveWriter writer;
  writer.section("tree", 2);
  ASSERT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  const auto tree = read(bytes);
  ASSERT_FALSE(tree);
  EXPECT_NE(tree.error().text().find("tree in layout 2, this version reads 3"), std::string::npos)
      << tree.error().text();
  EXPECT_NE(tree.error().hint.find("learned anew"), std::string::npos);
}

TEST(Archive, AnOlderLayoutIsReadWhereThatIsSaid) {
  const auto layout_of = [](std::uint32_t written, std::uint32_t now, std::uint32_t oldest) {
    ArchiveWriter writer;
    EXPECT_EQ(writer.section("tree", written), written);
    EXPECT_TRUE(writer.finish());
    const std::string bytes = writer.take();
    ArchiveReader reader(bytes);
    const std::uint32_t layout = reader.section("tree", now, oldest);
    return reader.finish() ? layout : 0;
  };
  EXPECT_EQ(layout_of(3, 3, 2), 3U);
  EXPECT_EQ(layout_of(2, 3, 2), 2U);
  EXPECT_EQ(layout_of(1, 3, 2), 0U);
  EXPECT_EQ(layout_of(4, 3, 2), 0U);
  EXPECT_EQ(layout_of(2, 3, 0), 0U);
}

TEST(Archive, AFileIsThereWholeOrNotAtAll) {
  const test::TempDir dir;
  const std::string path = (dir.path() / "state").string();
  dir.write("state", "old");
  {
    auto writer = ArchiveWriter::to_file(path);
    ASSERT_TRUE(writer);
    (*writer)(grown());
    EXPECT_TRUE(std::filesystem::exists(path + ".partial"));
  }
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
  EXPECT_EQ(std::filesystem::file_size(path), 3U);
  auto writer = ArchiveWriter::to_file(path);
  ASSERT_TRUE(writer);
  const std::string large(3 << 20, 'x');
  (*writer)(large, grown());
  ASSERT_TRUE(writer->finish());
  EXPECT_EQ(std::filesystem::file_size(path), writer->size());
  auto reader = ArchiveReader::from_file(path);
  ASSERT_TRUE(reader);
  std::string large_read;
  Tree tree;
  (*reader)(large_read, tree);
  ASSERT_TRUE(reader->finish());
  EXPECT_EQ(large_read, large);
  expect_grown(tree);

  std::filesystem::resize_file(path, writer->size() - 9);
  auto cut = ArchiveReader::from_file(path);
  ASSERT_TRUE(cut);
  (*cut)(large_read, tree);
  const auto done = cut->finish();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text().find(path), std::string::npos);

  EXPECT_FALSE(ArchiveReader::from_file(path + ".none"));
  EXPECT_FALSE(ArchiveReader::from_file(dir.path().string()));
  const auto nowhere = ArchiveWriter::to_file(path + "/below/a/file");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::kOutput);
}

}  // namespace
}  // namespace orbwatch::core
