#include "cluster/monitor.hpp"

#include <breakwater/core/random.hpp>

#include <algorithm>
#include <utility>

namespace breakwater::routing {
namespace {

/// A probe whose answer is late is worth waiting for: a server that is busy is no dead one, and another probe would not
/// be answered sooner. But not for long: another connection may lead to a server that has taken its place.
constexpr int probe_takes_at_most = 3;

/// Connections of many processes must not be renewed all at once.
constexpr double renewal_jitter = 0.25;

/// One thread for a probe, another one for a new connection.
constexpr std::size_t threads_per_node = 2;

/// For so long after something has changed nodes are probed often, also while nobody waits.
constexpr std::chrono::seconds eager_for{10};

}  // namespace

/// What is to be told to a node, and to the observer, outside the lock.
struct monitor::news_for_node {
  node& to;
  node_role role = node_role::unknown;  // unknown: nothing new
  bool found_alive = false;
  bool renew = false;  // it is another server, or another start of it
};

struct monitor::announcement {
  node* turn_away = nullptr;
  bool due = false;
  node* before = nullptr;
  node* now = nullptr;
  std::string_view reason{};
  std::uint32_t timeline = 0;
};

monitor::monitor(const config& settings, std::span<const std::unique_ptr<node>> nodes,
                 std::span<const monitored_address> addresses)
    : options_(settings.monitor), watcher_(settings.observer.get()), probes_(threads_per_node * nodes.size()) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes_.push_back(std::make_unique<watched>(*nodes[i], addresses[i]));
  }
}

monitor::~monitor() {
  stop();
  if (thread_.joinable()) thread_.join();
  probes_.stop();
}

void monitor::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void monitor::stop() noexcept {
  stop_probes_.request_stop();
  thread_.request_stop();
  const lock_type lock(mutex_);
  stopping_ = true;
  news_.notify_all();
}

bool monitor::wait_for_first_look(deadline until) {
  lock_type lock(mutex_);
  const auto looked = [this] { return looked_ || stopping_; };
  return until.is_never() ? (news_.wait(lock, looked), true) : news_.wait_until(lock, until.at(), looked);
}

void monitor::run(const std::stop_token& stop) {
  std::vector<news_for_node> news;
  lock_type lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = deadline::clock::now();
    begin_probes(now);
    if (!take_answers(now, news)) {
      const auto woken = [this] { return std::exchange(kicked_, false); };
      work_.wait_until(lock, stop, next_event(now), woken);
      continue;
    }
    // Before anybody is let near it: what the pool holds fits what the node is now.
    lock.unlock();
    for (const news_for_node& each : news) tell(each, now);
    news.clear();
    lock.lock();
    node* const next = find_primary();
    if (next != nullptr && next != primary_.load(std::memory_order_relaxed)) {
      lock.unlock();
      next->found_alive(now);
      lock.lock();
    }
    announcement told;
    conclude(now, told);
    lock.unlock();
    announce(told);
    lock.lock();
  }
}

void monitor::tell(const news_for_node& news, time_point now) {
  if (news.renew) news.to.renew();
  if (news.role != node_role::unknown) news.to.learn_role(news.role);
  if (news.found_alive) news.to.found_alive(now);
}

void monitor::announce(const announcement& told) const {
  if (told.turn_away != nullptr) told.turn_away->turn_away();
  if (!told.due || watcher_ == nullptr) return;
  watcher_->on_topology_change(
      {.before = told.before == nullptr ? std::string_view{} : std::string_view(told.before->name()),
       .now = told.now == nullptr ? std::string_view{} : std::string_view(told.now->name()),
       .reason = told.reason,
       .timeline = told.timeline});
}

bool monitor::is_in_doubt(time_point now) const noexcept {
  if (waiting_ > 0) return true;
  if (primary_.load(std::memory_order_relaxed) != nullptr) return doubted_at_ >= confirmed_by_;
  // A configuration of replicas alone never has one.
  return now - std::max(changed_at_, doubted_at_) < eager_for;
}

monitor::time_point monitor::next_event(time_point now) const {
  time_point next = last_round_ + (is_in_doubt(now) ? options_.unsure_interval : options_.interval);
  for (const auto& each : nodes_) {
    if (each->busy && !each->overdue) next = std::min(next, each->begun + options_.probe_timeout);
  }
  return next;
}

void monitor::begin_probes(time_point now) {
  const auto pause = is_in_doubt(now) ? options_.unsure_interval : options_.interval;
  if (has_begun_ && now < last_round_ + pause) return;
  has_begun_ = true;
  last_round_ = now;
  for (const auto& each : nodes_) {
    watched& asked = *each;
    if (asked.busy) continue;
    prepare(asked, now);
    asked.busy = true;
    asked.overdue = false;
    asked.begun = now;
    probes_.post([this, &asked, until = deadline::after(probe_takes_at_most * options_.probe_timeout, now)] {
      const std::stop_token stop = stop_probes_.get_token();
      std::unique_ptr<postgres::connection> fresh;
      {
        const lock_type lock(mutex_);
        fresh = std::move(asked.fresh);
      }
      if (fresh) asked.asks.adopt(std::move(fresh));
      auto answer = stop.stop_requested() ? probe_answer{} : asked.asks.ask(until, stop);
      const lock_type lock(mutex_);
      asked.arrived = std::move(answer);
      kicked_ = true;
      work_.notify_one();
    });
  }
}

/// Its probe is not under way. One whose name leads elsewhere by now, or whose session is not as it should be, gets another
/// connection; until there is one, the old one is asked: making it may take long.
void monitor::prepare(watched& asked, time_point now) {
  const auto later = [&] {
    const auto age =
        std::chrono::duration<double, std::milli>(options_.reconnect_after) * (1.0 - renewal_jitter * random_unit());
    return now + std::chrono::duration_cast<deadline::clock::duration>(age);
  };
  if (!asked.asks.has_connection() || asked.renew_at == time_point{}) {
    asked.renew_at = later();
    return;
  }
  if (asked.renewing || (now < asked.renew_at && !asked.asks.is_outdated())) return;
  asked.renewing = true;
  asked.renew_at = later();
  probes_.post([this, &asked, until = deadline::after(asked.address->connect_timeout, now)] {
    const std::stop_token stop = stop_probes_.get_token();
    std::unique_ptr<postgres::connection> made;
    if (!stop.stop_requested()) {
      if (auto opened = postgres::connection::open(asked.address, until, &stop)) {
        made = std::move(opened).assume_value();
      }
    }
    const lock_type lock(mutex_);
    asked.fresh = std::move(made);
    asked.renewing = false;
  });
}

bool monitor::take_answers(time_point now, std::vector<news_for_node>& news) {
  bool any = false;
  for (const auto& each : nodes_) {
    if (each->arrived) {
      each->busy = false;
      note_answer(*each, std::move(*each->arrived), now, news);
      each->arrived.reset();
    } else if (each->busy && !each->overdue && now >= each->begun + options_.probe_timeout) {
      each->overdue = true;
      each->failure = error(errc::connection_failed, "no answer to a probe within monitor.probe_timeout")
                          .with_node(each->of.name());
      note_loss(*each, now);
    } else {
      continue;
    }
    each->heard_of = true;
    any = true;
  }
  return any;
}

void monitor::note_answer(watched& from, probe_answer answer, time_point now, std::vector<news_for_node>& news) {
  from.failure = std::move(answer.failure);
  if (from.failure && answer.refused) return note_refusal(from, answer.seen, now);
  const node_observation& seen = answer.seen;
  if (!seen.reachable) return note_loss(from, now);

  const node_role role = seen.in_recovery ? node_role::replica : node_role::primary;
  const bool is_known = from.last.reachable;
  const bool moved = from.place != 0 && seen.place != 0 && seen.place != from.place;
  const bool same = answer.same_connection || (!moved && seen.place != 0 && seen.place == from.place);
  const bool changed_role = is_known && seen.in_recovery != from.last.in_recovery;
  if (!is_known || moved || changed_role) {
    ++changes_;
    if (from.heard_of) doubt(now);
  }
  const bool contradicted = is_contradicted(from, seen);
  news.push_back({.to = from.of,
                  .role = contradicted ? node_role::unknown : role,
                  .found_alive = (from.heard_of && !is_known) || moved,
                  .renew = moved});
  from.mark = next_mark(from.mark, seen, same);
  if (seen.place != 0) from.place = seen.place;
  if (moved) from.own_timeline = 0;
  if (!seen.in_recovery && seen.timeline != 0) from.own_timeline = seen.timeline;
  from.heard_at = seen.sent;
  from.last = seen;
  from.of.note(from.last, from.mark);
  if (is_misplaced(from)) {
    from.failure = error(errc::no_primary, std::string(from.of.name()) + " is a " + std::string(to_string(role)) +
                                               ", and its connection string declares it to be a " +
                                               std::string(to_string(from.declared)) + " (target_session_attrs)");
  }
}

void monitor::note_refusal(watched& from, const node_observation& asked, time_point now) {
  from.heard_at = asked.sent;
  const node_role known = from.of.connections().role();
  const auto in_recovery = known == node_role::unknown ? std::nullopt : std::optional(known == node_role::replica);
  const lineage own{.system = known_.system, .timeline = from.own_timeline};
  const node_observation taken = after_refusal(from.last, in_recovery, own, asked);
  if (!taken.reachable) return note_loss(from, now);
  if (from.last.reachable) return;
  ++changes_;
  if (from.heard_of) doubt(now);
  from.last = taken;
  from.of.note(from.last, from.mark);
}

void monitor::note_loss(watched& of, time_point now) {
  if (of.last.reachable) {
    ++changes_;
    doubt(now);
  }
  of.last = {.reachable = false, .sent = of.begun, .answered = now};
  of.mark = {};
  of.of.note(of.last, of.mark);
}

bool monitor::is_misplaced(const watched& of) noexcept {
  return of.declared != node_role::unknown && of.last.reachable &&
         of.last.in_recovery != (of.declared == node_role::replica);
}

bool monitor::is_contradicted(const watched& of, const node_observation& seen) noexcept {
  return of.hint != node_role::unknown && seen.sent <= of.hinted_at &&
         seen.in_recovery != (of.hint == node_role::replica);
}

std::vector<node_observation> monitor::voices() const {
  std::vector<node_observation> all;
  all.reserve(nodes_.size());
  for (const auto& each : nodes_) {
    all.push_back(each->last);
    if (is_contradicted(*each, each->last) || is_misplaced(*each)) all.back().reachable = false;
  }
  return all;
}

node* monitor::find_primary() {
  if (!std::ranges::all_of(nodes_, &watched::heard_of)) return nullptr;
  // What one says that is not what it should be tells of its timeline all the same.
  std::vector<node_observation> all;
  all.reserve(nodes_.size());
  for (const auto& each : nodes_) all.push_back(each->last);
  known_ = remember(known_, all);
  found_ = confirm_primary(voices(), known_);
  return found_.node ? &nodes_[*found_.node]->of : nullptr;
}

void monitor::conclude(time_point now, announcement& told) {
  node* const next = find_primary();
  // One after the other the nodes answer; who is the primary among them can be said when all were heard.
  if (!std::ranges::all_of(nodes_, &watched::heard_of)) return;
  for (const auto& each : nodes_) {
    each->of.set_apart(!each->last.reachable || is_misplaced(*each) || is_foreign(each->last, known_));
  }
  node* const before = primary_.load(std::memory_order_relaxed);
  bool changed = next != before;
  if (next != nullptr) {
    const watched& confirmed = *nodes_[*found_.node];
    const node_observation& seen = confirmed.last;
    changed = changed || confirmed.place != confirmed_place_;
    confirmed_by_ = std::max(seen.sent, confirmed.heard_at);
    confirmed_place_ = confirmed.place;
    const lineage of{.system = seen.system, .timeline = seen.timeline};
    if (seen.position != 0) wal_.note(of, seen.position, seen.sent);
    lineage_.store(of);
  }
  if (!looked_) {
    changed = true;
    looked_ = true;
    news_.notify_all();
  }
  if (changed) changed_at_ = now;
  // That the reason for having none is another one is news too: two primaries are worse than none.
  if (next != before || found_.why != told_reason_) {
    told_reason_ = found_.why;
    told = {.due = true,
            .before = before,
            .now = next,
            .reason = to_string(found_.why),
            .timeline = next == nullptr ? 0 : lineage_.load().timeline};
  }
  if (next != before) {
    primary_.store(next, std::memory_order_release);
    turn_away_from(next, told);
  }
  sure_.store(next != nullptr && confirmed_by_ > doubted_at_, std::memory_order_relaxed);
  // Not before the nodes can be used: who sees it goes through them.
  const bool news = changes_ != told_changes_.load(std::memory_order_relaxed);
  told_changes_.store(changes_, std::memory_order_relaxed);
  if (next != nullptr || news) news_.notify_all();
}

/// Who waits for a connection to the last primary shall look elsewhere: at once where it is gone, or where another one is
/// the primary. Where it is only late, it may be busy, and their place in the queue is worth keeping.
void monitor::turn_away_from(node* next, announcement& told) {
  if (last_primary_ != nullptr && last_primary_ != next) {
    const auto at = std::ranges::find(nodes_, last_primary_, [](const auto& each) { return &each->of; });
    if (next != nullptr || !(*at)->overdue) told.turn_away = last_primary_;
  }
  if (next != nullptr) last_primary_ = next;
}

void monitor::doubt(time_point now) {
  doubted_at_ = std::max(doubted_at_, now);
  sure_.store(false, std::memory_order_relaxed);
  kicked_ = true;
  work_.notify_one();
}

void monitor::wake() {
  const lock_type lock(mutex_);
  doubt(deadline::clock::now());
}

void monitor::note_role(const node& of, node_role learnt) {
  const auto now = deadline::clock::now();
  announcement told;
  {
    const lock_type lock(mutex_);
    const auto at = std::ranges::find(nodes_, &of, [](const auto& each) { return &each->of; });
    if (at == nodes_.end() || stopping_) return;
    watched& learnt_of = **at;
    if (learnt == node_role::unknown) {  // it can not be reached; what it was, it may be again
      doubt(now);
      return;
    }
    learnt_of.hint = learnt;
    learnt_of.hinted_at = now;
    if (!learnt_of.last.reachable || !is_contradicted(learnt_of, learnt_of.last)) return;
    ++changes_;
    doubt(now);
    conclude(now, told);
  }
  announce(told);
}

result<monitor::finding> monitor::wait_for_primary(time_point after, deadline until, const std::stop_token* cancel,
                                                   std::optional<std::uint64_t> changes) {
  const std::stop_token token = cancel == nullptr ? std::stop_token{} : *cancel;
  lock_type lock(mutex_);
  const auto confirmed = [&] { return primary_.load(std::memory_order_relaxed) != nullptr && confirmed_by_ > after; };
  const auto is_so = [&] {
    return confirmed() || stopping_ || (changes && told_changes_.load(std::memory_order_relaxed) != *changes);
  };
  if (!is_so()) {
    ++waiting_;
    doubt(after);
    if (until.is_never()) {
      news_.wait(lock, token, is_so);
    } else {
      news_.wait_until(lock, token, until.at(), is_so);
    }
    --waiting_;
  }
  if (confirmed()) return finding{.primary = primary_.load(std::memory_order_relaxed), .changed_at = changed_at_};
  if (stopping_) return error(errc::cancelled, "the database is being shut down");
  if (is_so()) return finding{.changed_at = changed_at_};
  if (token.stop_requested()) return error(errc::cancelled, "cancelled while waiting for a primary");
  return no_primary();
}

std::vector<std::string_view> monitor::names() const {
  std::vector<std::string_view> all;
  for (const auto& each : nodes_) all.emplace_back(each->of.name());
  return all;
}

error monitor::no_primary() const {
  // Of a single node its own reason says more.
  if (nodes_.size() == 1 && nodes_.front()->failure) {
    return error(*nodes_.front()->failure).with_node(nodes_.front()->of.name());
  }
  std::string text = routing::describe(found_, voices(), known_, names());
  for (const auto& each : nodes_) {
    if (each->failure) text.append("; ").append(each->of.name()).append(": ").append(each->failure->text());
  }
  return error(errc::no_primary, std::move(text));
}

std::string monitor::describe() const {
  const lock_type lock(mutex_);
  return routing::describe(found_, voices(), known_, names());
}

std::vector<node_view> monitor::view() const {
  const auto now = deadline::clock::now();
  const lock_type lock(mutex_);
  const node* const primary = primary_.load(std::memory_order_relaxed);
  std::vector<node_view> all;
  all.reserve(nodes_.size());
  for (const auto& each : nodes_) {
    node_view view{.seen = each->last, .confirmed = primary == &each->of};
    const bool follows = each->last.reachable && each->last.in_recovery && !is_foreign(each->last, known_) &&
                         (each->last.timeline == 0 || each->last.timeline == lineage_.load().timeline);
    if (primary != nullptr && follows && each->last.position != 0) view.lag = wal_.lag(each->last.position, now);
    if (view.confirmed) view.lag = std::chrono::nanoseconds(0);
    all.push_back(view);
  }
  return all;
}

std::optional<monitor::time_point> monitor::fresh_as_of(std::uint64_t position) const {
  const lock_type lock(mutex_);
  return wal_.fresh_as_of(position);
}

}  // namespace breakwater::routing
