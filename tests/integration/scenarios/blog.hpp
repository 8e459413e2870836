#pragma once

#include "support.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// A blog: authors with posts, tags, comments on posts and on authors.
namespace scenarios {

struct Post;
struct Tag;
struct Comment;
struct Biography;

struct Author {
  std::int64_t id{};
  std::string name{};
  std::string email{};
  std::optional<std::int64_t> mentor_id{};
  std::optional<bw::timestamptz> deleted_at{};
  bw::many<Post> posts{};
  bw::one<Biography> biography{};
  bw::one<Author> mentor{};
  bw::many<Comment> comments{};
};

struct Post {
  std::int64_t id{};
  std::int64_t author_id{};
  std::string title{};
  std::int32_t score{};
  std::optional<std::int32_t> rank{};
  bw::timestamptz created_at{};
  std::optional<bw::timestamptz> deleted_at{};
  bw::one<Author> author{};
  bw::many<Tag> tags{};
  bw::many<Comment> comments{};
};

struct Biography {
  std::int64_t author_id{};
  std::string text{};
  bw::one<Author> author{};
};

struct Tag {
  std::string name{};
  bw::many<Post> posts{};
};

struct PostTag {
  std::int64_t post_id{};
  std::string tag{};
};

/// Of a post or of an author, as owner_type says.
struct Comment {
  std::int64_t id{};
  std::string owner_type{};
  std::int64_t owner_id{};
  std::string text{};
  bw::one<Post> post{};
  bw::one<Author> author{};
};

}  // namespace scenarios

template <>
inline constexpr auto breakwater::mapping<scenarios::Author> = bw::table(
    "authors", bw::column<&scenarios::Author::id>("id", bw::primary_key), bw::column<&scenarios::Author::name>("name"),
    bw::column<&scenarios::Author::email>("email", bw::sensitive),
    bw::column<&scenarios::Author::mentor_id>("mentor_id"),
    bw::column<&scenarios::Author::deleted_at>("deleted_at", bw::soft_delete),
    bw::has_many<&scenarios::Author::posts, &scenarios::Post::author_id>(),
    bw::has_one<&scenarios::Author::biography, &scenarios::Biography::author_id>(),
    bw::belongs_to<&scenarios::Author::mentor, &scenarios::Author::mentor_id>(),
    bw::has_many<&scenarios::Author::comments, &scenarios::Comment::owner_id>(
        bw::polymorphic<&scenarios::Comment::owner_type>("author")));

template <>
inline constexpr auto breakwater::mapping<scenarios::Post> =
    bw::table("posts", bw::column<&scenarios::Post::id>("id", bw::primary_key),
              bw::column<&scenarios::Post::author_id>("author_id"), bw::column<&scenarios::Post::title>("title"),
              bw::column<&scenarios::Post::score>("score"), bw::column<&scenarios::Post::rank>("rank"),
              bw::column<&scenarios::Post::created_at>("created_at", bw::created_at),
              bw::column<&scenarios::Post::deleted_at>("deleted_at", bw::soft_delete),
              bw::belongs_to<&scenarios::Post::author, &scenarios::Post::author_id>(),
              bw::many_to_many<&scenarios::Post::tags, &scenarios::PostTag::post_id, &scenarios::PostTag::tag>(),
              bw::has_many<&scenarios::Post::comments, &scenarios::Comment::owner_id>(
                  bw::polymorphic<&scenarios::Comment::owner_type>("post")));

template <>
inline constexpr auto breakwater::mapping<scenarios::Biography> =
    bw::table("biographies", bw::column<&scenarios::Biography::author_id>("author_id", bw::primary_key),
              bw::column<&scenarios::Biography::text>("text"),
              bw::belongs_to<&scenarios::Biography::author, &scenarios::Biography::author_id>());

template <>
inline constexpr auto breakwater::mapping<scenarios::Tag> =
    bw::table("tags", bw::column<&scenarios::Tag::name>("name", bw::primary_key),
              bw::many_to_many<&scenarios::Tag::posts, &scenarios::PostTag::tag, &scenarios::PostTag::post_id>());

template <>
inline constexpr auto breakwater::mapping<scenarios::PostTag> =
    bw::table("post_tags", bw::column<&scenarios::PostTag::post_id>("post_id", bw::primary_key),
              bw::column<&scenarios::PostTag::tag>("tag", bw::primary_key));

template <>
inline constexpr auto breakwater::mapping<scenarios::Comment> =
    bw::table("comments", bw::column<&scenarios::Comment::id>("id", bw::primary_key),
              bw::column<&scenarios::Comment::owner_type>("owner_type"),
              bw::column<&scenarios::Comment::owner_id>("owner_id"), bw::column<&scenarios::Comment::text>("text"),
              bw::belongs_to<&scenarios::Comment::post, &scenarios::Comment::owner_id>(
                  bw::polymorphic<&scenarios::Comment::owner_type>("post")),
              bw::belongs_to<&scenarios::Comment::author, &scenarios::Comment::owner_id>(
                  bw::polymorphic<&scenarios::Comment::owner_type>("author")));

namespace scenarios {

/// Four authors and eleven posts:
///
///     1 ada                     posts 1, 2 (rank 1), and 11 in the trash
///     2 bob, taught by ada      posts 3 (rank 1), 4 (rank 2)
///     3 cid, taught by ada
///     4 dan, in the trash       post 5 (rank 2)
///     (nobody, 77)              posts 6, 7 (no rank), 8, 9 (rank 3), 10 (rank 4)
///
/// A post's title is p and its id, its score ten times its id.
class blog_scenario : public scenario {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;

  static std::string titles(const bw::result<std::vector<Post>>& found) {
    return listed(found, [](const Post& each) { return each.title; });
  }
  static std::string names(const bw::result<std::vector<Author>>& found) {
    return listed(found, [](const Author& each) { return each.name; });
  }

  bw::session session = on_primary();
  bw::repository<Author> authors = session.repository<Author>();
  bw::repository<Post> posts = session.repository<Post>();
};

}  // namespace scenarios
