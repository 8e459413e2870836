#!/usr/bin/env bash
#
# Checks README.md, CONTRIBUTING.md, CHANGELOG.md, docs/*.md and docs/guide/*.md of the checkout:   check_docs.sh <checkout>
#
# - A fenced block behind a comment `<!-- examples/guide/crud.cpp#stale -->` is the text between `// [stale]` and
#   `// [/stale]` in that file, less the indentation that all its lines share.
# - Every C++ block of docs/guide.md and docs/guide/*.md is such a block, so that no example is text only.
# - Links to files lead to files, and anchors to headings.

set -euo pipefail
cd "$1"
shopt -s nullglob

failed=0
problem() {
  printf '%s\n' "$1"
  failed=1
}

# region <file> <name>: its lines without their common indentation; nothing and exit code 1 when there is no such region.
region() {
  awk -v open="// [$2]" -v close_="// [/$2]" '
    { bare = $0; sub(/^[ \t]+/, "", bare) }
    bare == close_ { inside = 0; closed = 1 }
    inside { lines[++n] = $0
             if (bare != "") { indent = length($0) - length(bare); if (least == "" || indent < least) least = indent } }
    bare == open { inside = 1 }
    END { if (!closed || n == 0) exit 1
          for (i = 1; i <= n; ++i) print substr(lines[i], least + 1) }' "$1"
}

# The fenced blocks of a document, one after the other: its line number, its language, the comment before it, its text.
check_blocks() {
  local doc="$1" number=0 line marker='' language='' text='' inside=0 wanted source name
  while IFS= read -r line || [[ -n "$line" ]]; do
    number=$((number + 1))
    if ((inside)) && [[ "$line" == '```' ]]; then
      inside=0
      if [[ -n "$marker" ]]; then
        source="${marker%%#*}" name="${marker##*#}"
        if [[ ! -f "$source" ]]; then
          problem "$doc:$number: there is no file $source"
        elif ! wanted="$(region "$source" "$name")"; then
          problem "$doc:$number: $source has no region '// [$name] ... // [/$name]'"
        elif [[ "$wanted"$'\n' != "$text" ]]; then
          problem "$doc:$number: this block is not the region $name of $source:"
          diff <(printf '%s' "$text") <(printf '%s\n' "$wanted") || true
        fi
      elif [[ "$doc" == docs/guide* && "$language" == cpp ]]; then
        problem "$doc:$number: a C++ block without '<!-- examples/guide/<file>#<region> -->' before it"
      fi
      marker='' text=''
    elif ((inside)); then
      text+="$line"$'\n'
    elif [[ "$line" == '```'* ]]; then
      inside=1 language="${line#'```'}"
    elif [[ "$line" =~ ^'<!-- '([^ #]+#[^ #]+)' -->'$ ]]; then
      marker="${BASH_REMATCH[1]}"
    elif [[ -n "$line" && -n "$marker" ]]; then
      problem "$doc:$number: the comment for $marker is not followed by a block"
      marker=''
    fi
  done <"$doc"
  ((inside == 0)) || problem "$doc: its last block has no end"
}

# The document without code: in it "](" is not a link.
prose() {
  awk '/^```/ { inside = !inside; next } !inside { gsub(/`[^`]*`/, "code"); print }' "$1"
}

# The anchors of a document's headings, made as GitHub makes them.
anchors() {
  awk '/^```/ { inside = !inside; next } !inside && /^#+ / { sub(/^#+ /, ""); print }' "$1" |
    tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

check_links() {
  local doc="$1" folder target file anchor
  folder="$(dirname "$doc")"
  while IFS= read -r target; do
    [[ "$target" != *://* && "$target" != mailto:* ]] || continue
    file="${target%%#*}" anchor=''
    [[ "$target" != *'#'* ]] || anchor="${target#*#}"
    file="${file:+$folder/$file}" file="${file:-$doc}"
    if [[ ! -e "$file" ]]; then
      problem "$doc: the link to $target leads nowhere"
    elif [[ -n "$anchor" && "$file" == *.md ]] && ! anchors "$file" | grep -qxF -e "$anchor"; then
      problem "$doc: the link to $target: $file has no such heading"
    fi
  done < <(prose "$doc" | grep -oE '\]\([^)[:space:]]+\)|^\[[^]]+\]: *[^[:space:]]+' |
    sed -E 's/^\]\((.*)\)$/\1/; s/^\[[^]]+\]: *//' | sort -u)
}

for doc in README.md CONTRIBUTING.md CHANGELOG.md docs/*.md docs/guide/*.md; do
  [[ -f "$doc" ]] || { problem "there is no $doc"; continue; }
  check_blocks "$doc"
  check_links "$doc"
done
((failed == 0)) || exit 1
echo 'the blocks are the regions they name, and the links lead somewhere'
