// AUTH, from the phone's side.
#include "adb/auth.hpp"
#include "unit/sim/link_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;

const adb::PrivateKey& key() {
    static const adb::PrivateKey k = adb::PrivateKey::generate().value();
    return k;
}
const adb::PrivateKey& other_key() {
    static const adb::PrivateKey k = adb::PrivateKey::generate().value();
    return k;
}

constexpr std::uint32_t kToken = 1, kSignature = 2, kPublicKey = 3;

class DeviceAuthTest : public DeviceLinkTest {
protected:
    void make_trusting(sim::AuthMode mode = sim::AuthMode::trusted) {
        sim::Profile p = sim::modern_profile();
        p.auth = mode;
        p.trusted_keys = {key().public_key_line()};
        make(std::move(p));
    }
    std::string hello() {
        const auto answer = send(Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, kClientBanner, true);
        return token_of(answer);
    }
    std::string token_of(const std::vector<Sent>& answer) {
        EXPECT_EQ(answer.size(), 1u);
        if (answer.size() != 1) return {};
        EXPECT_EQ(answer[0].name, "AUTH");
        EXPECT_EQ(answer[0].arg0, kToken);
        EXPECT_EQ(answer[0].payload.size(), 20u);
        return answer[0].payload;
    }
    static std::string signed_by(const adb::PrivateKey& k, const std::string& token) {
        return std::string(as_text(k.sign(as_bytes(token))));
    }
};

TEST_F(DeviceAuthTest, AGoodSignatureOpensThePhone) {
    make_trusting();
    const auto answer = send(Command::auth, kSignature, 0, signed_by(key(), hello()));
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer[0].name, "CNXN");
    EXPECT_EQ(send(Command::open, 1, 0, "shell:true").at(0).name, "OKAY");
}

TEST_F(DeviceAuthTest, ABadSignatureGetsANewTokenAtOnceWithoutLimit) {
    make_trusting();
    std::string token = hello();
    for (int i = 0; i < 30; ++i) {
        const std::string fresh = token_of(send(Command::auth, kSignature, 0, signed_by(other_key(), token)));
        EXPECT_NE(fresh, token);
        token = fresh;
    }
    EXPECT_EQ(send(Command::auth, kSignature, 0, signed_by(key(), token)).at(0).name, "CNXN");
}

TEST_F(DeviceAuthTest, TheSignatureOfAnEarlierTokenIsBad) {
    make_trusting();
    const std::string first = hello();
    token_of(send(Command::auth, kSignature, 0, "rubbish"));
    token_of(send(Command::auth, kSignature, 0, signed_by(key(), first)));
    EXPECT_FALSE(link->online());
}

TEST_F(DeviceAuthTest, AnUnknownPublicKeyGetsSilence) {
    make_trusting();
    hello();
    EXPECT_THAT(send(Command::auth, kPublicKey, 0, other_key().public_key_line() + std::string(1, '\0')), IsEmpty());
}

TEST_F(DeviceAuthTest, OpenWhileUnauthorizedGetsSilenceAndASecondCnxnANewToken) {
    make_trusting();
    const std::string first = hello();
    EXPECT_THAT(send(Command::open, 1, 0, "shell:true"), IsEmpty());
    EXPECT_NE(hello(), first);
    EXPECT_THAT(services.names, IsEmpty());
}

TEST_F(DeviceAuthTest, APhoneThatTrustsNobodyTrustsNobody) {
    make_trusting(sim::AuthMode::nobody);
    token_of(send(Command::auth, kSignature, 0, signed_by(key(), hello())));
    EXPECT_FALSE(link->online());
}

TEST_F(DeviceAuthTest, TheUnauthorizedFaultBeatsTrust) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(sim::FaultKind::unauthorized);
    make(std::move(p));
    hello();
    EXPECT_FALSE(link->online());
}

TEST_F(DeviceAuthTest, AnUnaskedSignatureIsIgnored) {
    make_trusting();
    EXPECT_THAT(send(Command::auth, kSignature, 0, std::string(256, 'x')), IsEmpty());
    make();
    online();
    EXPECT_THAT(send(Command::auth, kSignature, 0, std::string(256, 'x')), IsEmpty());
}

}  // namespace
}  // namespace drover::test
