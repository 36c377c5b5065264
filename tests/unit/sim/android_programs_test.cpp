// getprop, setprop, wm, settings, pm, am, input: the small programs that stand for Android's.
#include "unit/sim/fleet_fixture.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;

class AndroidProgramsTest : public ::testing::Test {
protected:
    void SetUp() override {
        fleet = start_fleet();
        ASSERT_TRUE(fleet);
        NEEDS_REAL_SHELL(fleet);
        client = std::make_unique<PhoneClient>(fleet->address(0));
        ASSERT_TRUE(client->hello());
    }
    // In the real shell: the ':' keeps it from being scripted.
    std::string out(const std::string& command) { return client->run(":; " + command).out; }
    int code(const std::string& command) { return client->run(":; " + command).exit_code.value_or(-1); }

    std::unique_ptr<sim::Fleet> fleet;
    std::unique_ptr<PhoneClient> client;
};

TEST_F(AndroidProgramsTest, Getprop) {
    EXPECT_EQ(out("getprop ro.product.model"), "Virtual Phone\n");
    EXPECT_EQ(out("getprop ro.serialno"), "vphone-0001\n");
    EXPECT_EQ(out("getprop no.such"), "\n");
    EXPECT_EQ(out("dumpsys battery | grep level"), "  level: 85\n");
    EXPECT_EQ(out("setprop sim.battery.level 7; dumpsys battery | grep level"), "  level: 7\n");
    EXPECT_EQ(out("dumpsys power | grep mWakefulness="), "  mWakefulness=Awake\n");
    EXPECT_EQ(out("getprop no.such else"), "else\n");
    EXPECT_EQ(out("getprop ../control"), "\n");
    EXPECT_EQ(out("getprop sys.boot_completed"), "1\n");
    EXPECT_EQ(out("getprop | grep sdk"), "[ro.build.version.sdk]: [34]\n");
    EXPECT_EQ(out("[ $(getprop ro.build.version.sdk) -ge 30 ] && echo new"), "new\n");
}

TEST_F(AndroidProgramsTest, SetpropIsSeenByShellsAndByScriptedReplies) {
    EXPECT_EQ(client->run("getprop my.key").out, "\n");
    EXPECT_EQ(code("setprop my.key 'a value'"), 0);
    EXPECT_EQ(client->run("getprop my.key").out, "a value\n");
    EXPECT_EQ(out("getprop my.key"), "a value\n");
}

TEST_F(AndroidProgramsTest, SetpropRefusesWhatAndroidRefuses) {
    EXPECT_EQ(code("setprop ro.product.model other"), 1);
    EXPECT_EQ(code("setprop a/b c"), 1);
    EXPECT_EQ(code("setprop a"), 1);
    EXPECT_THAT(client->run(":; setprop ro.serialno x").err, HasSubstr("Failed to set property 'ro.serialno' to 'x'"));
    EXPECT_EQ(out("getprop ro.product.model"), "Virtual Phone\n");
}

TEST_F(AndroidProgramsTest, ALinkForAPropertyIsNotFollowed) {
    EXPECT_EQ(code("ln -s /etc/passwd .vphone/props/evil; mkfifo .vphone/props/pipe"), 0);
    EXPECT_EQ(client->run("getprop evil").out, "\n");
    EXPECT_EQ(client->run("getprop pipe").out, "\n");
}

TEST_F(AndroidProgramsTest, Wm) {
    EXPECT_EQ(out("wm size"), "Physical size: 1080x2400\n");
    EXPECT_EQ(out("wm density"), "Physical density: 420\n");
    EXPECT_EQ(out("wm size 720x1280; wm size"), "Physical size: 1080x2400\nOverride size: 720x1280\n");
    EXPECT_EQ(out("wm size reset; wm size"), "Physical size: 1080x2400\n");
    EXPECT_EQ(code("wm size big"), 255);
    EXPECT_EQ(code("wm colour"), 255);
}

TEST_F(AndroidProgramsTest, Settings) {
    EXPECT_EQ(out("settings get global airplane_mode_on"), "null\n");
    EXPECT_EQ(out("settings put global airplane_mode_on 1; settings get global airplane_mode_on"), "1\n");
    EXPECT_EQ(out("settings list global"), "airplane_mode_on=1\n");
    EXPECT_EQ(out("settings delete global airplane_mode_on"), "Deleted 1 rows\n");
    EXPECT_EQ(code("settings get planet x"), 255);
    EXPECT_EQ(code("settings put global ../../x 1"), 255);
}

TEST_F(AndroidProgramsTest, Pm) {
    EXPECT_THAT(out("pm list packages"), HasSubstr("package:com.android.settings\n"));
    EXPECT_EQ(out("pm list packages shell"), "package:com.android.shell\n");
    EXPECT_EQ(out("pm path com.android.shell"), "package:/data/app/com.android.shell/base.apk\n");
    EXPECT_EQ(code("pm path com.none"), 1);
    EXPECT_EQ(out("echo x > tmp/com.mine.apk; pm install -r tmp/com.mine.apk"), "Success\n");
    EXPECT_EQ(out("pm list packages mine"), "package:com.mine\n");
    EXPECT_EQ(out("pm uninstall com.mine"), "Success\n");
    EXPECT_EQ(out("pm uninstall com.mine"), "Failure [DELETE_FAILED_INTERNAL_ERROR]\n");
    EXPECT_EQ(out("pm uninstall ../control"), "Failure [DELETE_FAILED_INTERNAL_ERROR]\n");
}

TEST_F(AndroidProgramsTest, AmInputCmdId) {
    EXPECT_EQ(out("am start -n com.a/.Main"), "Starting: Intent { cmp=com.a/.Main }\n");
    EXPECT_EQ(out("am broadcast -a my.ACTION"),
              "Broadcasting: Intent { act=my.ACTION }\nBroadcast completed: result=0\n");
    EXPECT_EQ(code("am force-stop com.a"), 0);
    EXPECT_EQ(code("am"), 255);
    EXPECT_EQ(code("input tap 1 2; "), 0);
    EXPECT_EQ(code("input tap 1"), 255);
    EXPECT_EQ(out("cmd package list packages shell"), "package:com.android.shell\n");
    EXPECT_EQ(out("id -u"), "2000\n");
    EXPECT_EQ(out("whoami"), "shell\n");
}

}  // namespace
}  // namespace drover::test
