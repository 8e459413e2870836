// Mapping tables to structs: docs/guide/mapping.md.

#include "guide.hpp"

#include <array>
#include <type_traits>

using guide::expect;

// [entity]
struct Customer {
  bw::uuid id{};
  std::string email{};
  std::string country{};
  std::optional<std::string> phone{};
  std::int32_t version{};
  std::optional<bw::timestamptz> created{};
  std::optional<bw::timestamptz> changed{};
  std::optional<bw::timestamptz> deleted{};
};

template <>
inline constexpr auto breakwater::mapping<Customer> = bw::table(
    bw::in_schema("crm", "customers"), bw::column<&Customer::id>("id", bw::primary_key),
    bw::column<&Customer::email>("email", bw::sensitive, bw::unique),
    bw::column<&Customer::country>("country", bw::defaulted), bw::column<&Customer::phone>("phone", bw::sensitive),
    bw::column<&Customer::version>("version", bw::version(0)),
    bw::column<&Customer::created>("created_at", bw::created_at),
    bw::column<&Customer::changed>("updated_at", bw::updated_at),
    bw::column<&Customer::deleted>("deleted_at", bw::soft_delete));
// [/entity]

// [codec]
enum class colour { red, green, blue };  // create type crm.colour as enum ('red', 'green', 'blue')

template <>
struct breakwater::codec<colour> {
  static constexpr std::array<std::string_view, 3> names{"red", "green", "blue"};
  static constexpr std::string_view sql_type = "crm.colour";
  // Sent as text; the server finds the type from the context.
  static constexpr std::uint32_t type = bw::oid::unknown;
  // Read from columns of any type: a type of the database's own has another number in each.
  static constexpr std::array<std::uint32_t, 0> reads{};
  static void encode(colour value, bw::parameters& out) { out.add_text(names.at(static_cast<std::size_t>(value))); }
  static bool decode(std::string_view text, colour& out) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == text) return out = static_cast<colour>(i), true;
    }
    return false;
  }
};
// [/codec]

// [adl]
namespace shop {

struct Variant {
  std::int64_t article{};
  colour shade{};
  std::int32_t stock{};
};

constexpr auto breakwater_mapping(std::type_identity<Variant>) {
  return bw::table(bw::in_schema("crm", "variants"), bw::column<&Variant::article>("article_id", bw::primary_key),
                   bw::column<&Variant::shade>("shade", bw::primary_key),
                   bw::column<&Variant::stock>("stock", bw::check("stock >= 0")));
}

}  // namespace shop
// [/adl]

bw::result<void> topic(const bw::database& db) {
  bw::session session = db.session();
  BOOST_OUTCOME_TRY(guide::prepare(
      session, {"create schema if not exists crm", "drop table if exists crm.customers, crm.variants",
                "drop type if exists crm.colour", "create type crm.colour as enum ('red', 'green', 'blue')",
                "create table crm.customers (id uuid primary key, email text not null unique,"
                " country text not null default 'SE', phone text, version int not null,"
                " created_at timestamptz not null, updated_at timestamptz not null, deleted_at timestamptz)",
                "create table crm.variants (article_id bigint, shade crm.colour,"
                " stock int not null check (stock >= 0), primary key (article_id, shade))"}));

  // [insert]
  auto customers = session.repository<Customer>();
  BOOST_OUTCOME_TRY(const Customer ada, customers.insert({.id = bw::uuid::time_ordered(), .email = "ada@example.org"}));
  expect(ada.country == "SE");         // the DEFAULT: the member held its initial value
  expect(ada.version == 0);            // version(0); plain bw::version starts at 1
  expect(ada.created == ada.changed);  // the database's clock, at the start of the statement
  expect(!ada.deleted.has_value());    // rows are born live
  // [/insert]

  // [composite]
  auto variants = session.repository<shop::Variant>();
  BOOST_OUTCOME_TRY(variants.insert({.article = 7, .shade = colour::green, .stock = 3}));
  BOOST_OUTCOME_TRY(auto green, variants.get(7, colour::green));  // in mapping order
  expect(green.stock == 3);
  // [/composite]

  // [verify]
  // TRYV, because the comma would split the argument of TRY.
  BOOST_OUTCOME_TRYV(db.verify<Customer, shop::Variant>());
  BOOST_OUTCOME_TRY(session.execute("alter table crm.customers drop column phone"));
  const auto verified = db.verify<Customer, shop::Variant>();
  expect(verified.error() == bw::errc::mapping_mismatch);  // the message lists every difference
  // [/verify]
  return bw::success();
}

int main() { return guide::run(topic); }
