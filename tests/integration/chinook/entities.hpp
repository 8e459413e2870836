#pragma once

#include <breakwater/breakwater.hpp>

#include <cstdint>
#include <optional>
#include <string>

/// The eleven tables of the Chinook sample database, a shop for music, mapped by hand: as its script makes them, with
/// the relations that its foreign keys make in both directions.
namespace chinook {

struct Album;
struct Customer;
struct Employee;
struct Genre;
struct Invoice;
struct InvoiceLine;
struct MediaType;
struct Playlist;
struct Track;

struct Artist {
  std::int32_t id{};
  std::optional<std::string> name{};
  bw::many<Album> albums{};
};

struct Album {
  std::int32_t id{};
  std::string title{};
  std::int32_t artist_id{};
  bw::one<Artist> artist{};
  bw::many<Track> tracks{};
};

struct Genre {
  std::int32_t id{};
  std::optional<std::string> name{};
  bw::many<Track> tracks{};
};

struct MediaType {
  std::int32_t id{};
  std::optional<std::string> name{};
  bw::many<Track> tracks{};
};

struct Track {
  std::int32_t id{};
  std::string name{};
  std::optional<std::int32_t> album_id{};
  std::int32_t media_type_id{};
  std::optional<std::int32_t> genre_id{};
  std::optional<std::string> composer{};
  std::int32_t milliseconds{};
  std::optional<std::int32_t> bytes{};
  bw::numeric unit_price{};
  bw::one<Album> album{};
  bw::one<Genre> genre{};
  bw::one<MediaType> media_type{};
  bw::many<Playlist> playlists{};
  bw::many<InvoiceLine> sold{};
};

struct Playlist {
  std::int32_t id{};
  std::optional<std::string> name{};
  bw::many<Track> tracks{};
};

/// Links playlists and tracks: nothing but its key.
struct PlaylistTrack {
  std::int32_t playlist_id{};
  std::int32_t track_id{};
};

struct Employee {
  std::int32_t id{};
  std::string last_name{};
  std::string first_name{};
  std::optional<std::string> title{};
  std::optional<std::int32_t> reports_to{};
  std::optional<bw::timestamp> birth_date{};
  std::optional<bw::timestamp> hire_date{};
  std::optional<std::string> address{};
  std::optional<std::string> city{};
  std::optional<std::string> state{};
  std::optional<std::string> country{};
  std::optional<std::string> postal_code{};
  std::optional<std::string> phone{};
  std::optional<std::string> fax{};
  std::optional<std::string> email{};
  bw::one<Employee> boss{};
  bw::many<Employee> reports{};
  bw::many<Customer> customers{};
};

struct Customer {
  std::int32_t id{};
  std::string first_name{};
  std::string last_name{};
  std::optional<std::string> company{};
  std::optional<std::string> address{};
  std::optional<std::string> city{};
  std::optional<std::string> state{};
  std::optional<std::string> country{};
  std::optional<std::string> postal_code{};
  std::optional<std::string> phone{};
  std::optional<std::string> fax{};
  std::string email{};
  std::optional<std::int32_t> support_rep_id{};
  bw::one<Employee> support_rep{};
  bw::many<Invoice> invoices{};
};

struct Invoice {
  std::int32_t id{};
  std::int32_t customer_id{};
  bw::timestamp invoice_date{};
  std::optional<std::string> billing_address{};
  std::optional<std::string> billing_city{};
  std::optional<std::string> billing_state{};
  std::optional<std::string> billing_country{};
  std::optional<std::string> billing_postal_code{};
  bw::numeric total{};
  bw::one<Customer> customer{};
  bw::many<InvoiceLine> lines{};
};

struct InvoiceLine {
  std::int32_t id{};
  std::int32_t invoice_id{};
  std::int32_t track_id{};
  bw::numeric unit_price{};
  std::int32_t quantity{};
  bw::one<Invoice> invoice{};
  bw::one<Track> track{};
};

}  // namespace chinook

template <>
inline constexpr auto breakwater::mapping<chinook::Artist> = bw::table(
    "artist", bw::column<&chinook::Artist::id>("artist_id", bw::primary_key),
    bw::column<&chinook::Artist::name>("name", bw::type("varchar(120)")),
    bw::has_many<&chinook::Artist::albums, &chinook::Album::artist_id>(bw::order_by<&chinook::Album::title>()));

template <>
inline constexpr auto breakwater::mapping<chinook::Album> =
    bw::table("album", bw::column<&chinook::Album::id>("album_id", bw::primary_key),
              bw::column<&chinook::Album::title>("title", bw::type("varchar(160)")),
              bw::column<&chinook::Album::artist_id>("artist_id", bw::references<&chinook::Artist::id>(), bw::index),
              bw::belongs_to<&chinook::Album::artist, &chinook::Album::artist_id>(),
              bw::has_many<&chinook::Album::tracks, &chinook::Track::album_id>());

template <>
inline constexpr auto breakwater::mapping<chinook::Genre> =
    bw::table("genre", bw::column<&chinook::Genre::id>("genre_id", bw::primary_key),
              bw::column<&chinook::Genre::name>("name", bw::type("varchar(120)")),
              bw::has_many<&chinook::Genre::tracks, &chinook::Track::genre_id>());

template <>
inline constexpr auto breakwater::mapping<chinook::MediaType> =
    bw::table("media_type", bw::column<&chinook::MediaType::id>("media_type_id", bw::primary_key),
              bw::column<&chinook::MediaType::name>("name", bw::type("varchar(120)")),
              bw::has_many<&chinook::MediaType::tracks, &chinook::Track::media_type_id>());

template <>
inline constexpr auto breakwater::mapping<chinook::Track> = bw::table(
    "track", bw::column<&chinook::Track::id>("track_id", bw::primary_key),
    bw::column<&chinook::Track::name>("name", bw::type("varchar(200)")),
    bw::column<&chinook::Track::album_id>("album_id", bw::references<&chinook::Album::id>(), bw::index),
    bw::column<&chinook::Track::media_type_id>("media_type_id", bw::references<&chinook::MediaType::id>(), bw::index),
    bw::column<&chinook::Track::genre_id>("genre_id", bw::references<&chinook::Genre::id>(), bw::index),
    bw::column<&chinook::Track::composer>("composer", bw::type("varchar(220)")),
    bw::column<&chinook::Track::milliseconds>("milliseconds"), bw::column<&chinook::Track::bytes>("bytes"),
    bw::column<&chinook::Track::unit_price>("unit_price", bw::type("numeric(10,2)")),
    bw::belongs_to<&chinook::Track::album, &chinook::Track::album_id>(),
    bw::belongs_to<&chinook::Track::genre, &chinook::Track::genre_id>(),
    bw::belongs_to<&chinook::Track::media_type, &chinook::Track::media_type_id>(),
    bw::many_to_many<&chinook::Track::playlists, &chinook::PlaylistTrack::track_id,
                     &chinook::PlaylistTrack::playlist_id>(),
    bw::has_many<&chinook::Track::sold, &chinook::InvoiceLine::track_id>());

template <>
inline constexpr auto breakwater::mapping<chinook::Playlist> =
    bw::table("playlist", bw::column<&chinook::Playlist::id>("playlist_id", bw::primary_key),
              bw::column<&chinook::Playlist::name>("name", bw::type("varchar(120)")),
              bw::many_to_many<&chinook::Playlist::tracks, &chinook::PlaylistTrack::playlist_id,
                               &chinook::PlaylistTrack::track_id>(bw::order_by_desc<&chinook::Track::milliseconds>()));

template <>
inline constexpr auto breakwater::mapping<chinook::PlaylistTrack> =
    bw::table("playlist_track",
              bw::column<&chinook::PlaylistTrack::playlist_id>("playlist_id", bw::primary_key,
                                                               bw::references<&chinook::Playlist::id>(), bw::index),
              bw::column<&chinook::PlaylistTrack::track_id>("track_id", bw::primary_key,
                                                            bw::references<&chinook::Track::id>(), bw::index));

template <>
inline constexpr auto breakwater::mapping<chinook::Employee> = bw::table(
    "employee", bw::column<&chinook::Employee::id>("employee_id", bw::primary_key),
    bw::column<&chinook::Employee::last_name>("last_name", bw::type("varchar(20)")),
    bw::column<&chinook::Employee::first_name>("first_name", bw::type("varchar(20)")),
    bw::column<&chinook::Employee::title>("title", bw::type("varchar(30)")),
    bw::column<&chinook::Employee::reports_to>("reports_to", bw::references<&chinook::Employee::id>(), bw::index),
    bw::column<&chinook::Employee::birth_date>("birth_date"), bw::column<&chinook::Employee::hire_date>("hire_date"),
    bw::column<&chinook::Employee::address>("address", bw::type("varchar(70)")),
    bw::column<&chinook::Employee::city>("city", bw::type("varchar(40)")),
    bw::column<&chinook::Employee::state>("state", bw::type("varchar(40)")),
    bw::column<&chinook::Employee::country>("country", bw::type("varchar(40)")),
    bw::column<&chinook::Employee::postal_code>("postal_code", bw::type("varchar(10)")),
    bw::column<&chinook::Employee::phone>("phone", bw::type("varchar(24)")),
    bw::column<&chinook::Employee::fax>("fax", bw::type("varchar(24)")),
    bw::column<&chinook::Employee::email>("email", bw::type("varchar(60)")),
    bw::belongs_to<&chinook::Employee::boss, &chinook::Employee::reports_to>(),
    bw::has_many<&chinook::Employee::reports, &chinook::Employee::reports_to>(),
    bw::has_many<&chinook::Employee::customers, &chinook::Customer::support_rep_id>());

template <>
inline constexpr auto breakwater::mapping<chinook::Customer> =
    bw::table("customer", bw::column<&chinook::Customer::id>("customer_id", bw::primary_key),
              bw::column<&chinook::Customer::first_name>("first_name", bw::type("varchar(40)")),
              bw::column<&chinook::Customer::last_name>("last_name", bw::type("varchar(20)")),
              bw::column<&chinook::Customer::company>("company", bw::type("varchar(80)")),
              bw::column<&chinook::Customer::address>("address", bw::type("varchar(70)")),
              bw::column<&chinook::Customer::city>("city", bw::type("varchar(40)")),
              bw::column<&chinook::Customer::state>("state", bw::type("varchar(40)")),
              bw::column<&chinook::Customer::country>("country", bw::type("varchar(40)")),
              bw::column<&chinook::Customer::postal_code>("postal_code", bw::type("varchar(10)")),
              bw::column<&chinook::Customer::phone>("phone", bw::type("varchar(24)")),
              bw::column<&chinook::Customer::fax>("fax", bw::type("varchar(24)")),
              bw::column<&chinook::Customer::email>("email", bw::type("varchar(60)"), bw::sensitive),
              bw::column<&chinook::Customer::support_rep_id>("support_rep_id", bw::references<&chinook::Employee::id>(),
                                                             bw::index),
              bw::belongs_to<&chinook::Customer::support_rep, &chinook::Customer::support_rep_id>(),
              bw::has_many<&chinook::Customer::invoices, &chinook::Invoice::customer_id>(
                  bw::order_by_desc<&chinook::Invoice::invoice_date>()));

template <>
inline constexpr auto breakwater::mapping<chinook::Invoice> = bw::table(
    "invoice", bw::column<&chinook::Invoice::id>("invoice_id", bw::primary_key),
    bw::column<&chinook::Invoice::customer_id>("customer_id", bw::references<&chinook::Customer::id>(), bw::index),
    bw::column<&chinook::Invoice::invoice_date>("invoice_date"),
    bw::column<&chinook::Invoice::billing_address>("billing_address", bw::type("varchar(70)")),
    bw::column<&chinook::Invoice::billing_city>("billing_city", bw::type("varchar(40)")),
    bw::column<&chinook::Invoice::billing_state>("billing_state", bw::type("varchar(40)")),
    bw::column<&chinook::Invoice::billing_country>("billing_country", bw::type("varchar(40)")),
    bw::column<&chinook::Invoice::billing_postal_code>("billing_postal_code", bw::type("varchar(10)")),
    bw::column<&chinook::Invoice::total>("total", bw::type("numeric(10,2)")),
    bw::belongs_to<&chinook::Invoice::customer, &chinook::Invoice::customer_id>(),
    bw::has_many<&chinook::Invoice::lines, &chinook::InvoiceLine::invoice_id>());

template <>
inline constexpr auto breakwater::mapping<chinook::InvoiceLine> = bw::table(
    "invoice_line", bw::column<&chinook::InvoiceLine::id>("invoice_line_id", bw::primary_key),
    bw::column<&chinook::InvoiceLine::invoice_id>("invoice_id", bw::references<&chinook::Invoice::id>(), bw::index),
    bw::column<&chinook::InvoiceLine::track_id>("track_id", bw::references<&chinook::Track::id>(), bw::index),
    bw::column<&chinook::InvoiceLine::unit_price>("unit_price", bw::type("numeric(10,2)")),
    bw::column<&chinook::InvoiceLine::quantity>("quantity"),
    bw::belongs_to<&chinook::InvoiceLine::invoice, &chinook::InvoiceLine::invoice_id>(),
    bw::belongs_to<&chinook::InvoiceLine::track, &chinook::InvoiceLine::track_id>());
