// An entity's own rules, before anything is sent.

#include "hooked.hpp"

namespace tests {
namespace {

class validations : public repository_test {
 protected:
  void SetUp() override {
    repository_test::SetUp();
    create_hooked_tables(session);
    watcher().clear();
  }
  bw::session session = on_primary();
  bw::repository<customer> customers = session.repository<customer>();
};

TEST_F(validations, report_every_failing_field_and_send_nothing) {
  const auto stored = customers.insert({.name = "", .secret = "much too long for a secret"});
  EXPECT_ERROR(stored, errc::validation_failed);
  const bw::error& failed = stored.error();
  ASSERT_EQ(failed.failures().size(), 2U);
  EXPECT_EQ(failed.failures()[0].field, "name");
  EXPECT_EQ(failed.failures()[0].text, "must not be empty");
  EXPECT_EQ(failed.failures()[1].field, "secret");
  EXPECT_NE(failed.message().find("name must not be empty; secret is too long"), std::string::npos) << failed.message();
  EXPECT_EQ(failed.message().find("much too long for"), std::string::npos) << "no values";
  EXPECT_EQ(failed.statement(), "customers.insert");
  EXPECT_EQ(failed.applied(), bw::applied::no);
  EXPECT_TRUE(failed.is_callers_mistake());
  EXPECT_TRUE(watcher().operations().empty());
  EXPECT_TRUE(script.calls.empty()) << "hooks run after it";
}

TEST_F(validations, guard_updates_and_upserts_too) {
  EXPECT_ERROR(customers.update({.id = 1}), errc::validation_failed);
  EXPECT_ERROR(customers.upsert({}, bw::conflict<&customer::name>), errc::validation_failed);
  EXPECT_ERROR(customers.upsert({}, bw::conflict<&customer::name>, bw::do_nothing), errc::validation_failed);
  EXPECT_ERROR(customers.find_or_insert({}, bw::conflict<&customer::name>), errc::validation_failed);
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(validations, of_a_batch_name_the_rows) {
  const std::vector<customer> given{
      {.name = "ada"}, {.name = ""}, {.name = "", .secret = "much too long for a secret"}};
  for (const bw::error& failed :
       {customers.insert_many(given).error(), customers.upsert_many(given, bw::conflict<&customer::name>).error()}) {
    ASSERT_EQ(failed.code(), errc::validation_failed);
    ASSERT_EQ(failed.failures().size(), 3U);
    EXPECT_EQ(failed.failures()[0].row, 2U);
    EXPECT_EQ(failed.failures()[2].row, 3U);
    EXPECT_NE(failed.message().find("row 2: name must not be empty"), std::string::npos) << failed.message();
  }
  EXPECT_TRUE(watcher().operations().empty());
}

}  // namespace
}  // namespace tests
