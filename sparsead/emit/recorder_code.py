"""The machine code of traced numbers, as assembly of LLVM; `sparsead.emit.recorder` makes methods of it.

It does what it was shown: an operation on numbers of these kinds is one more record of that kind. What it was not
shown, or what is not plain (new literals, other types, no room), is left to the method in Python, which is called.
"""

# `word`, `slot`: what is at a place of the tape's words, at an offset of an object. `find` looks a kind up in a table
# with open addressing. `position` finds the element of an array that an index of plain integers means, or -1.
RECORDER = """
define internal ptr @word(ptr %words, i64 %k) alwaysinline nounwind {{
  %at = getelementptr ptr, ptr %words, i64 %k
  %value = load ptr, ptr %at
  ret ptr %value
}}
define internal i64 @count(ptr %words, i64 %k) alwaysinline nounwind {{
  %at = getelementptr i64, ptr %words, i64 %k
  %value = load i64, ptr %at
  ret i64 %value
}}
define internal ptr @shared(ptr %words, i64 %k) alwaysinline nounwind {{
  %all = call ptr @word(ptr %words, i64 {SHARED})
  %value = call ptr @word(ptr %all, i64 %k)
  ret ptr %value
}}
define internal ptr @slot(ptr %object, i64 %offset) alwaysinline nounwind {{
  %at = getelementptr i8, ptr %object, i64 %offset
  %value = load ptr, ptr %at
  ret ptr %value
}}
define internal ptr @words_of(ptr %tape) alwaysinline nounwind {{
  %array = call ptr @slot(ptr %tape, i64 {words})
  %words = call ptr @slot(ptr %array, i64 {data})
  ret ptr %words
}}
define internal i1 @is_a(ptr %words, ptr %object, i64 %k) alwaysinline nounwind {{
  %type = call ptr @slot(ptr %object, i64 {type})
  %wanted = call ptr @shared(ptr %words, i64 %k)
  %same = icmp eq ptr %type, %wanted
  ret i1 %same
}}
define internal i64 @as_integer(ptr %words, ptr %object) alwaysinline nounwind {{
  %as = call ptr @shared(ptr %words, i64 {AS_INTEGER})
  %value = call i64 %as(ptr %object)
  ret i64 %value
}}
define internal ptr @of_integer(ptr %words, i64 %value) alwaysinline nounwind {{
  %from = call ptr @shared(ptr %words, i64 {OF_INTEGER})
  %object = call ptr %from(i64 %value)
  ret ptr %object
}}
define internal void @counted(ptr %words, ptr %object, i64 %which) alwaysinline nounwind {{
  %change = call ptr @shared(ptr %words, i64 %which)
  call void %change(ptr %object)
  ret void
}}
define internal i1 @is_bare(ptr %number) alwaysinline nounwind {{
  %entry = call ptr @slot(ptr %number, i64 {entry})
  %bare = icmp eq ptr %entry, null
  ret i1 %bare
}}
define internal i64 @entry_of(ptr %words, ptr %number) alwaysinline nounwind {{
  %entry = call ptr @slot(ptr %number, i64 {entry})
  %value = call i64 @as_integer(ptr %words, ptr %entry)
  ret i64 %value
}}
define internal i32 @signature_of(ptr %words, i64 %record) alwaysinline nounwind {{
  %column = call ptr @word(ptr %words, i64 {SIGNATURE})
  %at = getelementptr i32, ptr %column, i64 %record
  %value = load i32, ptr %at
  ret i32 %value
}}
define internal i32 @find(ptr %words, i64 %code, i32 %a, i32 %b) nounwind {{
begin:
  %table = call ptr @word(ptr %words, i64 {TABLE})
  %mask = call i64 @count(ptr %words, i64 {MASK})
  %key = trunc i64 %code to i32
  %a.wide = zext i32 %a to i64
  %b.wide = zext i32 %b to i64
  %h1 = mul i64 %a.wide, {HASH_A}
  %h2 = mul i64 %b.wide, {HASH_B}
  %h3 = mul i64 %code, {HASH_CODE}
  %h4 = add i64 %h1, %h2
  %h5 = add i64 %h4, %h3
  %h6 = lshr i64 %h5, 15
  %start = xor i64 %h5, %h6
  br label %look
look:
  %h = phi i64 [ %start, %begin ], [ %next, %other ]
  %row = and i64 %h, %mask
  %first = mul i64 %row, 4
  %p0 = getelementptr i32, ptr %table, i64 %first
  %key.there = load i32, ptr %p0
  %empty = icmp eq i32 %key.there, 0
  br i1 %empty, label %none, label %compare
compare:
  %p1 = getelementptr i32, ptr %p0, i64 1
  %p2 = getelementptr i32, ptr %p0, i64 2
  %p3 = getelementptr i32, ptr %p0, i64 3
  %a.there = load i32, ptr %p1
  %b.there = load i32, ptr %p2
  %number = load i32, ptr %p3
  %same.key = icmp eq i32 %key.there, %key
  %same.a = icmp eq i32 %a.there, %a
  %same.b = icmp eq i32 %b.there, %b
  %same1 = and i1 %same.key, %same.a
  %same = and i1 %same1, %same.b
  br i1 %same, label %found, label %other
other:
  %next = add i64 %h, 1
  br label %look
found:
  ret i32 %number
none:
  ret i32 -1
}}
define internal i1 @is_full(ptr %words) alwaysinline nounwind {{
  %length = call i64 @count(ptr %words, i64 {LENGTH})
  %room = call i64 @count(ptr %words, i64 {ROOM})
  %full = icmp uge i64 %length, %room
  ret i1 %full
}}
define internal i1 @is_elsewhere(ptr %words) alwaysinline nounwind {{
  %ident = call ptr @shared(ptr %words, i64 {IDENT})
  %here = call i64 %ident()
  %thread = call i64 @count(ptr %words, i64 {THREAD})
  %elsewhere = icmp ne i64 %here, %thread
  ret i1 %elsewhere
}}
define internal i1 @is_not_here(ptr %words, ptr %number) alwaysinline nounwind {{
  %elsewhere = call i1 @is_elsewhere(ptr %words)
  %bare = call i1 @is_bare(ptr %number)
  %not.here = or i1 %elsewhere, %bare
  ret i1 %not.here
}}
define internal ptr @made(ptr %words, ptr %tape, ptr %entry) nounwind {{
begin:
  %lost = icmp eq ptr %entry, null
  br i1 %lost, label %failed, label %make
make:
  %type = call ptr @shared(ptr %words, i64 {NUMBER})
  %new = call ptr @shared(ptr %words, i64 {NEW})
  %object = call ptr %new(ptr %type, i64 0)
  %none = icmp eq ptr %object, null
  br i1 %none, label %undo, label %fill
fill:
  call void @counted(ptr %words, ptr %tape, i64 {INCREASE})
  %entry.at = getelementptr i8, ptr %object, i64 {entry}
  store ptr %entry, ptr %entry.at
  %tape.at = getelementptr i8, ptr %object, i64 {tape}
  store ptr %tape, ptr %tape.at
  ret ptr %object
undo:
  call void @counted(ptr %words, ptr %entry, i64 {DECREASE})
  br label %failed
failed:
  ret ptr null
}}
define internal ptr @recorded(ptr %words, ptr %tape, i32 %number, i64 %a, i64 %b) nounwind {{
  %record = call i64 @count(ptr %words, i64 {LENGTH})
  %a.short = trunc i64 %a to i32
  %b.short = trunc i64 %b to i32
  %numbers = call ptr @word(ptr %words, i64 {SIGNATURE})
  %number.at = getelementptr i32, ptr %numbers, i64 %record
  store i32 %number, ptr %number.at
  %as = call ptr @word(ptr %words, i64 {FIRST})
  %a.at = getelementptr i32, ptr %as, i64 %record
  store i32 %a.short, ptr %a.at
  %bs = call ptr @word(ptr %words, i64 {SECOND})
  %b.at = getelementptr i32, ptr %bs, i64 %record
  store i32 %b.short, ptr %b.at
  %length = add i64 %record, 1
  %length.at = getelementptr i64, ptr %words, i64 {LENGTH}
  store i64 %length, ptr %length.at
  %entry = call ptr @of_integer(ptr %words, i64 %record)
  %object = call ptr @made(ptr %words, ptr %tape, ptr %entry)
  ret ptr %object
}}
define internal ptr @by_python(ptr %words, i64 %code, ptr %self, ptr %one, ptr %two, i64 %count) nounwind {{
  %args = alloca ptr, i64 3
  store ptr %self, ptr %args
  %p1 = getelementptr ptr, ptr %args, i64 1
  store ptr %one, ptr %p1
  %p2 = getelementptr ptr, ptr %args, i64 2
  store ptr %two, ptr %p2
  %place = add i64 %code, {METHODS}
  %method = call ptr @shared(ptr %words, i64 %place)
  %call = call ptr @shared(ptr %words, i64 {CALL})
  %result = call ptr %call(ptr %method, ptr %args, i64 %count, ptr null)
  ret ptr %result
}}
define internal ptr @unary(ptr %self, i64 %code) nounwind {{
  %tape = call ptr @slot(ptr %self, i64 {tape})
  %unset = icmp eq ptr %tape, null
  br i1 %unset, label %unmade, label %begin
unmade:
  ret ptr null
begin:
  %words = call ptr @words_of(ptr %tape)
  %not.here = call i1 @is_not_here(ptr %words, ptr %self)
  br i1 %not.here, label %python, label %here
here:
  %a = call i64 @entry_of(ptr %words, ptr %self)
  %kind = call i32 @signature_of(ptr %words, i64 %a)
  %key = mul i64 %code, 4
  %key.one = add i64 %key, 1
  %number = call i32 @find(ptr %words, i64 %key.one, i32 %kind, i32 0)
  %unknown = icmp slt i32 %number, 0
  %full = call i1 @is_full(ptr %words)
  %leave = or i1 %unknown, %full
  br i1 %leave, label %python, label %record
record:
  %object = call ptr @recorded(ptr %words, ptr %tape, i32 %number, i64 %a, i64 0)
  ret ptr %object
python:
  %result = call ptr @by_python(ptr %words, i64 %code, ptr %self, ptr null, ptr null, i64 1)
  ret ptr %result
}}
define internal ptr @binary(ptr %self, ptr %other, i64 %code, i1 %swapped, i64 %literals) nounwind {{
  %tape = call ptr @slot(ptr %self, i64 {tape})
  %unset = icmp eq ptr %tape, null
  br i1 %unset, label %unmade, label %begin
unmade:
  ret ptr null
begin:
  %words = call ptr @words_of(ptr %tape)
  %not.here = call i1 @is_not_here(ptr %words, ptr %self)
  br i1 %not.here, label %python, label %here
here:
  %a = call i64 @entry_of(ptr %words, ptr %self)
  %is.number = call i1 @is_a(ptr %words, ptr %other, i64 {NUMBER})
  br i1 %is.number, label %number, label %plain
number:
  %tape.other = call ptr @slot(ptr %other, i64 {tape})
  %foreign = icmp ne ptr %tape.other, %tape
  %bare.other = call i1 @is_bare(ptr %other)
  %not.ours = or i1 %foreign, %bare.other
  br i1 %not.ours, label %python, label %number.entry
number.entry:
  %entry = call i64 @entry_of(ptr %words, ptr %other)
  br label %both
plain:
  %is.float = call i1 @is_a(ptr %words, ptr %other, i64 {FLOAT})
  %is.float64 = call i1 @is_a(ptr %words, ptr %other, i64 {FLOAT64})
  %is.int = call i1 @is_a(ptr %words, ptr %other, i64 {INT})
  %real = or i1 %is.float, %is.float64
  %taken = or i1 %real, %is.int
  br i1 %taken, label %literal, label %python
literal:
  %known = call ptr @word(ptr %words, i64 %literals)
  %get = call ptr @shared(ptr %words, i64 {GET_ITEM})
  %held = call ptr %get(ptr %known, ptr %other)
  %new = icmp eq ptr %held, null
  br i1 %new, label %python, label %literal.entry
literal.entry:
  %record.of = call i64 @as_integer(ptr %words, ptr %held)
  %sort = select i1 %is.int, i64 3, i64 2
  br label %both
both:
  %b = phi i64 [ %entry, %number.entry ], [ %record.of, %literal.entry ]
  %kind = phi i64 [ 1, %number.entry ], [ %sort, %literal.entry ]
  %first = select i1 %swapped, i64 %b, i64 %a
  %second = select i1 %swapped, i64 %a, i64 %b
  %first.kind = call i32 @signature_of(ptr %words, i64 %first)
  %second.kind = call i32 @signature_of(ptr %words, i64 %second)
  %key = mul i64 %code, 4
  %key.kind = add i64 %key, %kind
  %found = call i32 @find(ptr %words, i64 %key.kind, i32 %first.kind, i32 %second.kind)
  %unknown = icmp slt i32 %found, 0
  %full = call i1 @is_full(ptr %words)
  %leave = or i1 %unknown, %full
  br i1 %leave, label %python, label %record
record:
  %object = call ptr @recorded(ptr %words, ptr %tape, i32 %found, i64 %first, i64 %second)
  ret ptr %object
python:
  %result = call ptr @by_python(ptr %words, i64 %code, ptr %self, ptr %other, ptr null, i64 2)
  ret ptr %result
}}
"""
UNARY = """
define ptr @{name}(ptr %self, ptr %unused) nounwind {{
  %result = call ptr @unary(ptr %self, i64 {code})
  ret ptr %result
}}
"""
BINARY = """
define ptr @{name}(ptr %self, ptr %other) nounwind {{
  %result = call ptr @binary(ptr %self, ptr %other, i64 {code}, i1 {swapped}, i64 {literals})
  ret ptr %result
}}
"""
