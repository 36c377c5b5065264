// A job whose files come to a disk that is really full.
#include <gmock/gmock.h>

#include "support/drover.hpp"
#include "support/file_tree.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;

// A file system of its own, of 256 KiB, that only this run sees.
TEST(JobFullDisk, IsOneRowsErrorAndTheOthersGoOn) {
    const TempDir dir;
    const SimProcess phones(2);
    dir.write("jobs/vphone-0001", noise(400'000));
    dir.write("jobs/vphone-0002", "fits");
    dir.write("jobs/out/none", "");
    dir.write("jobs/full.yaml",
              "version: 1\nstrategy: {max-parallel: 1}\nsteps:\n"
              "  - push: {from: '{{ instance }}', to: /sdcard/file}\n  - pull: {from: /sdcard/file, to: out}\n");
    constexpr int kNoNamespace = 77;
    const auto options = drover_command(
        {"run", (dir / "jobs/full.yaml").string(), "--inventory", phones.inventory(), "--output", "lines"},
        {{"XDG_STATE_HOME", dir.path().string()}});
    ProcessOptions inside = options;
    inside.argv = {
        "unshare",
        "-rm",
        "sh",
        "-c",
        "mount -t tmpfs -o size=256k none \"$0\" || exit 77; \"$@\"; code=$?; find \"$0\" -type f; exit $code",
        (dir / "jobs/out").string()};
    inside.argv.insert(inside.argv.end(), options.argv.begin(), options.argv.end());
    const auto done = run(std::move(inside));
    if (done.code() == kNoNamespace || done.code() == 1 || done.code() == 127) GTEST_SKIP() << done.err;
    EXPECT_EQ(done.code(), 20) << done.err;
    EXPECT_THAT(done.err, HasSubstr("out/vphone-0001/file: No space left on device"));
    EXPECT_EQ(done.out.substr(done.out.find((dir / "jobs/out").string())),
              (dir / "jobs/out/vphone-0002/file\n").string())
        << "what came in part is gone";
}

}  // namespace
}  // namespace drover::test
