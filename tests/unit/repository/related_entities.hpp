#pragma once

#include <breakwater/breakwater.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

/// Entities that show every kind of relation; used by unit and integration tests alike. They name each other in cycles.
namespace tests {

struct Order;
struct Label;
struct Profile;
struct Note;
struct Parcel;

/// Has many orders and one profile, and notes as one of several owners of notes. May have been referred by another customer.
struct Customer {
  std::int64_t id{};
  std::string name{};
  std::optional<std::int64_t> referrer_id{};
  bw::many<Order> orders{};
  bw::one<Profile> profile{};
  bw::many<Note> notes{};
  bw::one<Customer> referrer{};
  bw::many<Customer> referred{};

  bool operator==(const Customer& other) const { return id == other.id; }
};

/// Belongs to a customer, or to none; can be in the trash.
struct Order {
  std::int64_t id{};
  std::optional<std::int64_t> customer_id{};
  std::string item{};
  std::optional<bw::timestamptz> deleted_at{};
  bw::one<Customer> customer{};
  bw::many<Label> labels{};
  bw::many<Note> notes{};
  bw::one<Note> pinned{};

  bool operator==(const Order&) const = default;
};

struct Profile {
  std::string email{};
  std::int64_t customer_id{};
  bw::one<Customer> customer{};
};

/// Links orders and labels; can be in the trash.
struct OrderLabel {
  std::int64_t order_id{};
  std::string label_name{};
  std::optional<bw::timestamptz> deleted_at{};
};

/// A text as key; can be in the trash.
struct Label {
  std::string name{};
  std::optional<bw::timestamptz> deleted_at{};
  bw::many<Order> orders{};

  bool operator==(const Label& other) const { return name == other.name; }
};

enum class note_owner : std::uint8_t { customer, order };

/// Belongs to a customer or to an order, as its type says.
struct Note {
  std::int64_t id{};
  note_owner owner_type{};
  std::int64_t owner_id{};
  std::string text{};
  bw::one<Customer> customer{};
  bw::one<Order> order{};

  bool operator==(const Note& other) const { return id == other.id; }
};

/// A key of two columns, one of them a text that may hold anything.
struct Depot {
  std::string region{};
  std::int32_t number{};
  bw::many<Parcel> parcels{};
};

/// A foreign key of two columns, and one that refers to something else than a primary key.
struct Parcel {
  std::int64_t id{};
  std::optional<std::string> depot_region{};
  std::optional<std::int32_t> depot_number{};
  std::string sender_name{};
  bw::one<Depot> depot{};
  bw::one<Customer> sender{};
};

constexpr auto breakwater_mapping(std::type_identity<Profile>) {
  return bw::table("profiles", bw::column<&Profile::email>("email", bw::primary_key, bw::sensitive),
                   bw::column<&Profile::customer_id>("customer_id"),
                   bw::belongs_to<&Profile::customer, &Profile::customer_id>());
}

}  // namespace tests

template <>
struct breakwater::codec<tests::note_owner> {
  static constexpr std::string_view sql_type = "text";
  static constexpr std::uint32_t type = bw::oid::unknown;
  static constexpr std::array reads{bw::oid::text};
  static void encode(const tests::note_owner& value, bw::parameters& out) {
    out.add_text(value == tests::note_owner::order ? "order" : "customer");
  }
  static bool decode(std::string_view text, tests::note_owner& out) noexcept {
    out = text == "order" ? tests::note_owner::order : tests::note_owner::customer;
    return text == "order" || text == "customer";
  }
};

template <>
inline constexpr auto breakwater::mapping<tests::Customer> =
    bw::table("customers", bw::column<&tests::Customer::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::Customer::name>("name"), bw::column<&tests::Customer::referrer_id>("referrer_id"),
              bw::has_many<&tests::Customer::orders, &tests::Order::customer_id>(),
              bw::has_one<&tests::Customer::profile, &tests::Profile::customer_id>(),
              bw::has_many<&tests::Customer::notes, &tests::Note::owner_id>(
                  bw::polymorphic<&tests::Note::owner_type>(tests::note_owner::customer),
                  bw::order_by_desc<&tests::Note::text>()),
              bw::belongs_to<&tests::Customer::referrer, &tests::Customer::referrer_id>(),
              bw::has_many<&tests::Customer::referred, &tests::Customer::referrer_id>());

template <>
inline constexpr auto breakwater::mapping<tests::Order> = bw::table(
    "orders", bw::column<&tests::Order::id>("id", bw::primary_key, bw::generated),
    bw::column<&tests::Order::customer_id>("customer_id"), bw::column<&tests::Order::item>("item"),
    bw::column<&tests::Order::deleted_at>("deleted_at", bw::soft_delete),
    bw::belongs_to<&tests::Order::customer, &tests::Order::customer_id>(),
    bw::many_to_many<&tests::Order::labels, &tests::OrderLabel::order_id, &tests::OrderLabel::label_name>(),
    bw::has_many<&tests::Order::notes, &tests::Note::owner_id>(
        bw::polymorphic<&tests::Note::owner_type>(tests::note_owner::order), bw::order_by_desc<&tests::Note::id>()),
    bw::has_one<&tests::Order::pinned, &tests::Note::owner_id>(
        bw::polymorphic<&tests::Note::owner_type>(tests::note_owner::order)));

template <>
inline constexpr auto breakwater::mapping<tests::OrderLabel> =
    bw::table("order_labels", bw::column<&tests::OrderLabel::order_id>("order_id", bw::primary_key),
              bw::column<&tests::OrderLabel::label_name>("label_name", bw::primary_key),
              bw::column<&tests::OrderLabel::deleted_at>("deleted_at", bw::soft_delete));

template <>
inline constexpr auto breakwater::mapping<tests::Label> =
    bw::table("labels", bw::column<&tests::Label::name>("name", bw::primary_key),
              bw::column<&tests::Label::deleted_at>("deleted_at", bw::soft_delete),
              bw::many_to_many<&tests::Label::orders, &tests::OrderLabel::label_name, &tests::OrderLabel::order_id>(
                  bw::order_by<&tests::Order::item>()));

template <>
inline constexpr auto breakwater::mapping<tests::Note> =
    bw::table("notes", bw::column<&tests::Note::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::Note::owner_type>("owner_type"), bw::column<&tests::Note::owner_id>("owner_id"),
              bw::column<&tests::Note::text>("text"),
              bw::belongs_to<&tests::Note::customer, &tests::Note::owner_id>(
                  bw::polymorphic<&tests::Note::owner_type>(tests::note_owner::customer)),
              bw::belongs_to<&tests::Note::order, &tests::Note::owner_id>(
                  bw::polymorphic<&tests::Note::owner_type>(tests::note_owner::order)));

template <>
inline constexpr auto breakwater::mapping<tests::Depot> =
    bw::table("depots", bw::column<&tests::Depot::region>("region", bw::primary_key),
              bw::column<&tests::Depot::number>("number", bw::primary_key),
              bw::has_many<&tests::Depot::parcels, &tests::Parcel::depot_region, &tests::Parcel::depot_number>());

template <>
inline constexpr auto breakwater::mapping<tests::Parcel> = bw::table(
    "parcels", bw::column<&tests::Parcel::id>("id", bw::primary_key, bw::generated),
    bw::column<&tests::Parcel::depot_region>("depot_region"), bw::column<&tests::Parcel::depot_number>("depot_number"),
    bw::column<&tests::Parcel::sender_name>("sender_name", bw::sensitive),
    bw::belongs_to<&tests::Parcel::depot, &tests::Parcel::depot_region, &tests::Parcel::depot_number>(),
    bw::belongs_to<&tests::Parcel::sender, &tests::Parcel::sender_name>(bw::references<&tests::Customer::name>()));
