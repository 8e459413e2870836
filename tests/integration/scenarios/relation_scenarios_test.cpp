// Related rows: who gets what, and with how many statements.

#include "blog.hpp"

#include <cstdint>

namespace scenarios {
namespace {

using bw::asc;
using bw::col;

class scenarios_relations : public blog_scenario {
 protected:
  static std::string texts(const bw::many<Comment>& of) {
    return listed(std::vector<Comment>(of.begin(), of.end()), [](const Comment& each) { return each.text; });
  }
  static std::string titles_of(const bw::many<Post>& of) {
    return listed(std::vector<Post>(of.begin(), of.end()), [](const Post& each) { return each.title; });
  }
  static std::string names_of(const bw::many<Tag>& of) {
    return listed(std::vector<Tag>(of.begin(), of.end()), [](const Tag& each) { return each.name; });
  }
  bw::repository<Comment> comments = session.repository<Comment>();
  bw::repository<Tag> tags = session.repository<Tag>();
};

TEST_F(scenarios_relations, s25_has_many_gives_each_parent_its_children) {
  const auto found = authors.query().order_by(asc<&Author::id>).include<&Author::posts>().all();
  ASSERT_OK(found);
  EXPECT_EQ(sent(), "authors.select authors.posts");
  EXPECT_EQ(listed(found, [](const Author& each) { return each.name + "(" + titles_of(each.posts) + ")"; }),
            "ada(p1 p2) bob(p3 p4) cid()");
  EXPECT_TRUE(found.value()[2].posts.loaded()) << "looked for, and there are none";
}

TEST_F(scenarios_relations, s25_belongs_to_gives_two_children_of_one_parent_the_same) {
  const auto found = posts.query().order_by(asc<&Post::id>).include<&Post::author>().all();
  ASSERT_OK(found);
  EXPECT_EQ(sent(), "posts.select posts.author");
  EXPECT_EQ(listed(found, [](const Post& each) { return each.author ? each.author->name : "-"; }),
            "ada ada bob bob - - - - - -")
      << "nobody's and those of an author in the trash have none";
  for (const Post& each : found.value()) EXPECT_TRUE(each.author.loaded());
}

TEST_F(scenarios_relations, s25_has_one_gives_the_one_and_its_parent) {
  const auto found = authors.query()
                         .order_by(asc<&Author::id>)
                         .include<&Author::biography, &Biography::author>()
                         .include<&Author::mentor>()
                         .all();
  ASSERT_OK(found);
  ASSERT_EQ(found.value().size(), 3U);
  const Author& ada = found.value()[0];
  ASSERT_TRUE(ada.biography && ada.biography->author);
  EXPECT_EQ(ada.biography->text, "of ada");
  EXPECT_EQ(ada.biography->author->name, "ada");
  EXPECT_TRUE(found.value()[1].biography.loaded() && !found.value()[1].biography);
  EXPECT_FALSE(ada.mentor);
  EXPECT_EQ(found.value()[1].mentor->name + found.value()[2].mentor->name, "adaada") << "both get her";
}

TEST_F(scenarios_relations, s25_many_to_many_works_from_both_sides) {
  const auto found = posts.where(col<&Post::id> < 4).order_by(asc<&Post::id>).include<&Post::tags>().all();
  ASSERT_OK(found);
  EXPECT_EQ(sent(), "posts.select posts.tags");
  EXPECT_EQ(listed(found, [](const Post& each) { return each.title + "(" + names_of(each.tags) + ")"; }),
            "p1(gift rush) p2(gift) p3()")
      << "two posts of one tag both get it";
  const auto back = tags.query().order_by(asc<&Tag::name>).include<&Tag::posts>().all();
  EXPECT_EQ(listed(back, [](const Tag& each) { return each.name + "(" + titles_of(each.posts) + ")"; }),
            "gift(p1 p2) rush(p1) unused()")
      << "without the post in the trash";
  EXPECT_EQ(sent(), "tags.select tags.posts");
}

TEST_F(scenarios_relations, s25_polymorphic_children_find_the_parent_of_their_kind) {
  const auto found =
      comments.query().order_by(asc<&Comment::id>).include<&Comment::post>().include<&Comment::author>().all();
  ASSERT_OK(found);
  EXPECT_EQ(sent(), "comments.select comments.post comments.author");
  EXPECT_EQ(listed(found,
                   [](const Comment& each) {
                     return (each.post ? each.post->title : "-") + "/" + (each.author ? each.author->name : "-");
                   }),
            "p1/- p1/- -/ada p4/- -/bob");
  const auto of_posts = posts.where(col<&Post::id>.in(1, 2, 4)).order_by(asc<&Post::id>).include<&Post::comments>();
  EXPECT_EQ(listed(of_posts.all(), [](const Post& each) { return each.title + "(" + texts(each.comments) + ")"; }),
            "p1(c1 c2) p2() p4(c4)");
  const auto of_authors = authors.query().order_by(asc<&Author::id>).include<&Author::comments>();
  EXPECT_EQ(listed(of_authors.all(), [](const Author& each) { return each.name + "(" + texts(each.comments) + ")"; }),
            "ada(c3) bob(c5) cid()");
}

TEST_F(scenarios_relations, s25_empty_parents_issue_no_statement) {
  const auto none = authors.where(col<&Author::id> < 0)
                        .include<&Author::posts, &Post::tags>()
                        .include<&Author::biography>()
                        .include<&Author::mentor>()
                        .include<&Author::comments>()
                        .all();
  ASSERT_OK(none);
  EXPECT_TRUE(none.value().empty());
  EXPECT_EQ(sent(), "authors.select");
  std::vector<Author> nobody;
  ASSERT_OK(authors.load<&Author::posts>(nobody));
  ASSERT_OK((authors.load<&Author::posts, &Post::tags>(nobody)));
  EXPECT_EQ(sent(), "");
  // Neither do parents without a key to look for, or without children to look further from.
  ASSERT_OK(authors.where(col<&Author::id> == 1).include<&Author::mentor>().all());
  EXPECT_EQ(sent(), "authors.select");
  ASSERT_OK((authors.where(col<&Author::id> == 3).include<&Author::posts, &Post::tags>().all()));
  EXPECT_EQ(sent(), "authors.select authors.posts");
}

TEST_F(scenarios_relations, s25_the_number_of_statements_is_constant_in_the_number_of_parents) {
  const auto everything = authors.query()
                              .include<&Author::posts, &Post::tags>()
                              .include<&Author::posts, &Post::comments>()
                              .include<&Author::posts, &Post::author>()
                              .include<&Author::biography>()
                              .include<&Author::mentor>()
                              .include<&Author::comments>();
  ASSERT_EQ(everything.all().value().size(), 3U);
  const std::string of_three = sent();
  behind_the_back(
      "insert into authors select i, 'a' || i, '', 1 from generate_series(100, 599) i;"
      "insert into posts select 2 * i + j, i, 't', 0, 0, now() from generate_series(100, 599) i, generate_series(0, 1) "
      "j;"
      "insert into post_tags select id, 'gift' from posts where id > 100;"
      "insert into biographies select id, '' from authors where id > 99;"
      "insert into comments select id, 'author', id, '' from authors where id > 99;"
      "insert into comments select 1000 + id, 'post', id, '' from posts where id > 100");
  const auto found = everything.all();
  ASSERT_OK(found);
  ASSERT_EQ(found.value().size(), 503U);
  EXPECT_EQ(sent(), of_three);
  for (const Author& each : found.value()) {
    if (each.id < 100) continue;
    ASSERT_EQ(each.posts.size(), 2U) << each.id;
    for (const Post& post : each.posts) {
      ASSERT_EQ(post.author->id, each.id) << "two children of one parent both get it";
      ASSERT_EQ(post.tags.size() + post.comments.size(), 2U);
    }
    ASSERT_TRUE(each.biography && each.mentor->name == "ada" && each.comments.size() == 1) << each.id;
  }
}

}  // namespace
}  // namespace scenarios
