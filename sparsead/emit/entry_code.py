"""The machine code of calls from Python, as assembly of LLVM; `sparsead.emit.entry` writes down what it reads.

`bound` runs sweeps on arrays that are known, `plain` looks at arguments first.
"""

# `plain` walks over the arguments (loop `arg`, with `dim` over the axes, `item` where a copy is made, `bytes` of what
# is known), over pairs of an output and another argument (loops `out` and `beside`), puts the addresses of the data
# into the tables of the sweeps (`move`), and runs them (`step`). Only `run` may go on without Python's lock.
PLAIN_AND_BOUND = """
declare i32 @memcmp(ptr, ptr, i64) nounwind
define internal void @run(ptr %words) nounwind {{
entry:
  %count.at = getelementptr i64, ptr %words, i64 9
  %count = load i64, ptr %count.at
  %steps.at = getelementptr i64, ptr %words, i64 10
  %steps = load ptr, ptr %steps.at
  br label %step
step:
  %s = phi i64 [ 0, %entry ], [ %s.next, %step.body ]
  %more = icmp slt i64 %s, %count
  br i1 %more, label %step.body, label %done
step.body:
  %two = mul i64 %s, 2
  %code.at = getelementptr ptr, ptr %steps, i64 %two
  %code = load ptr, ptr %code.at
  %table.at = getelementptr ptr, ptr %code.at, i64 1
  %table = load ptr, ptr %table.at
  call void %code(ptr %table)
  %s.next = add i64 %s, 1
  br label %step
done:
  ret void
}}
define internal i1 @same_items(ptr %data, i64 %stride, ptr %known, i64 %size, i64 %count) nounwind {{
entry:
  %is.word = icmp eq i64 %size, 8
  %is.part = icmp eq i64 %stride, 16
  %are.pairs = and i1 %is.word, %is.part
  %some = icmp sgt i64 %count, 0
  %of.pairs = and i1 %are.pairs, %some
  %all.but.last = sub i64 %count, 1
  %eights = lshr i64 %all.but.last, 3
  %in.vectors = shl i64 %eights, 3
  %first = select i1 %of.pairs, i64 %in.vectors, i64 0
  br label %eight
eight:
  %e = phi i64 [ 0, %entry ], [ %e.next, %eight.look ]
  %more.eights = icmp slt i64 %e, %first
  br i1 %more.eights, label %eight.look, label %item
eight.look:
  %pairs.at = getelementptr [2 x i64], ptr %data, i64 %e
  %pairs = load <16 x i64>, ptr %pairs.at, align 1
  %words = shufflevector <16 x i64> %pairs, <16 x i64> poison,
    <8 x i32> <i32 0, i32 2, i32 4, i32 6, i32 8, i32 10, i32 12, i32 14>
  %known.words.at = getelementptr i64, ptr %known, i64 %e
  %known.words = load <8 x i64>, ptr %known.words.at, align 1
  %differ = icmp ne <8 x i64> %words, %known.words
  %differ.bits = bitcast <8 x i1> %differ to i8
  %e.next = add i64 %e, 8
  %same.words = icmp eq i8 %differ.bits, 0
  br i1 %same.words, label %eight, label %changed
item:
  %i = phi i64 [ %first, %eight ], [ %i.next, %equal ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %item.look, label %same
item.look:
  %from = mul i64 %i, %stride
  %at = getelementptr i8, ptr %data, i64 %from
  %known.from = mul i64 %i, %size
  %known.at = getelementptr i8, ptr %known, i64 %known.from
  %i.next = add i64 %i, 1
  br i1 %is.word, label %word, label %part
word:
  %one = load i64, ptr %at, align 1
  %other = load i64, ptr %known.at, align 1
  %same.word = icmp eq i64 %one, %other
  br i1 %same.word, label %equal, label %changed
part:
  %order = call i32 @memcmp(ptr %at, ptr %known.at, i64 %size)
  %same.part = icmp eq i32 %order, 0
  br i1 %same.part, label %equal, label %changed
equal:
  br label %item
same:
  ret i1 true
changed:
  ret i1 false
}}
define internal ptr @returned(ptr %words, i64 %which) nounwind {{
  %at = getelementptr ptr, ptr %words, i64 %which
  %object = load ptr, ptr %at
  %incref.at = getelementptr ptr, ptr %words, i64 11
  %incref = load ptr, ptr %incref.at
  call void %incref(ptr %object)
  ret ptr %object
}}
define ptr @bound(ptr %self, ptr %unused) nounwind {{
  %words.at = getelementptr i8, ptr %self, i64 {data}
  %words = load ptr, ptr %words.at
  call void @run(ptr %words)
  %none = call ptr @returned(ptr %words, i64 12)
  ret ptr %none
}}
define ptr @plain(ptr %self, ptr %args, i64 %given) nounwind {{
entry:
  %data = alloca [{most} x ptr]
  %words.at = getelementptr i8, ptr %self, i64 {data}
  %words = load ptr, ptr %words.at
  %count = load i64, ptr %words
  %array.at = getelementptr ptr, ptr %words, i64 1
  %array = load ptr, ptr %array.at
  %float.at = getelementptr ptr, ptr %words, i64 2
  %float = load ptr, ptr %float.at
  %float64.at = getelementptr ptr, ptr %words, i64 3
  %float64 = load ptr, ptr %float64.at
  %as.many = icmp eq i64 %given, %count
  %busy.at = getelementptr i64, ptr %words, i64 15
  %busy = load i64, ptr %busy.at
  %is.idle = icmp eq i64 %busy, 0
  %goes = and i1 %as.many, %is.idle
  br i1 %goes, label %arg, label %other
arg:
  %k = phi i64 [ 0, %entry ], [ %k.next, %arg.good ]
  %more.args = icmp slt i64 %k, %count
  br i1 %more.args, label %arg.look, label %out
arg.look:
  %record.k = mul i64 %k, {record}
  %record.place = add i64 %record.k, {records}
  %record = getelementptr i64, ptr %words, i64 %record.place
  %object.at = getelementptr ptr, ptr %args, i64 %k
  %object = load ptr, ptr %object.at
  %data.at = getelementptr ptr, ptr %data, i64 %k
  %content = getelementptr i8, ptr %object, i64 {data}
  %fixed = load ptr, ptr %record
  %is.fixed = icmp ne ptr %fixed, null
  br i1 %is.fixed, label %arg.fixed, label %arg.type
arg.fixed:
  store ptr null, ptr %data.at
  %is.it = icmp eq ptr %object, %fixed
  br i1 %is.it, label %arg.good, label %other
arg.type:
  %ndim.at = getelementptr i64, ptr %record, i64 1
  %ndim = load i64, ptr %ndim.at
  %flags.at = getelementptr i64, ptr %record, i64 3
  %flags = load i64, ptr %flags.at
  %flags.low = trunc i64 %flags to i32
  %type.at = getelementptr i8, ptr %object, i64 {type}
  %type = load ptr, ptr %type.at
  %is.array = icmp eq ptr %type, %array
  br i1 %is.array, label %arg.array, label %arg.number
arg.number:
  %is.float = icmp eq ptr %type, %float
  %is.float64 = icmp eq ptr %type, %float64
  %is.one = or i1 %is.float, %is.float64
  %no.axes = icmp eq i64 %ndim, 0
  %written.at.0 = getelementptr i64, ptr %record, i64 5
  %written.0 = load i64, ptr %written.at.0
  %only.read = icmp eq i64 %written.0, 0
  %bytes.wanted.at = getelementptr ptr, ptr %record, i64 6
  %bytes.wanted = load ptr, ptr %bytes.wanted.at
  %any.bytes = icmp eq ptr %bytes.wanted, null
  %scalar.0 = and i1 %no.axes, %only.read
  %scalar = and i1 %scalar.0, %any.bytes
  %number = and i1 %is.one, %scalar
  store ptr %content, ptr %data.at
  br i1 %number, label %arg.good, label %other
arg.array:
  %its.ndim.at = getelementptr i8, ptr %object, i64 {ndim}
  %its.ndim.low = load i32, ptr %its.ndim.at
  %its.ndim = sext i32 %its.ndim.low to i64
  %same.ndim = icmp eq i64 %its.ndim, %ndim
  %dtype.at = getelementptr i8, ptr %object, i64 {dtype}
  %dtype = load ptr, ptr %dtype.at
  %wanted.dtype.at = getelementptr ptr, ptr %record, i64 7
  %wanted.dtype = load ptr, ptr %wanted.dtype.at
  %same.dtype = icmp eq ptr %dtype, %wanted.dtype
  %its.flags.at = getelementptr i8, ptr %object, i64 {flags}
  %its.flags = load i32, ptr %its.flags.at
  %common = and i32 %its.flags, %flags.low
  %same.flags = icmp eq i32 %common, %flags.low
  %good.0 = and i1 %same.ndim, %same.dtype
  %good.1 = and i1 %good.0, %same.flags
  %shape.at = getelementptr i64, ptr %record, i64 2
  %shape = load ptr, ptr %shape.at
  %its.shape.at = getelementptr i8, ptr %object, i64 {shape}
  %its.shape = load ptr, ptr %its.shape.at
  %its.data = load ptr, ptr %content
  store ptr %its.data, ptr %data.at
  br i1 %good.1, label %dim, label %other
dim:
  %a = phi i64 [ 0, %arg.array ], [ %a.next, %dim.body ]
  %more.axes = icmp slt i64 %a, %ndim
  br i1 %more.axes, label %dim.body, label %bytes
dim.body:
  %length.at = getelementptr i64, ptr %shape, i64 %a
  %length = load i64, ptr %length.at
  %its.length.at = getelementptr i64, ptr %its.shape, i64 %a
  %its.length = load i64, ptr %its.length.at
  %a.next = add i64 %a, 1
  %same.length = icmp eq i64 %length, %its.length
  br i1 %same.length, label %dim, label %other
bytes:
  %known.at = getelementptr ptr, ptr %record, i64 6
  %known = load ptr, ptr %known.at
  %is.known = icmp ne ptr %known, null
  %c.order = and i32 %its.flags, 1
  %is.dense = icmp ne i32 %c.order, 0
  %strides.at = getelementptr i8, ptr %object, i64 {strides}
  %strides = load ptr, ptr %strides.at
  %items = load i64, ptr %shape
  br i1 %is.known, label %bytes.look, label %bytes.read
bytes.read:
  br i1 %is.dense, label %arg.good, label %copy
copy:
  %room.at = getelementptr ptr, ptr %record, i64 9
  %room = load ptr, ptr %room.at
  store ptr %room, ptr %data.at
  %step.bytes = load i64, ptr %strides
  br label %item
item:
  %i = phi i64 [ 0, %copy ], [ %i.next, %item.body ]
  %more.items = icmp slt i64 %i, %items
  br i1 %more.items, label %item.body, label %arg.good
item.body:
  %i.from = mul i64 %i, %step.bytes
  %item.from = getelementptr i8, ptr %its.data, i64 %i.from
  %number.i = load i64, ptr %item.from
  %item.to = getelementptr i64, ptr %room, i64 %i
  store i64 %number.i, ptr %item.to
  %i.next = add i64 %i, 1
  br label %item
bytes.look:
  store ptr null, ptr %data.at
  %bytes.at = getelementptr i64, ptr %record, i64 4
  %bytes.count = load i64, ptr %bytes.at
  br i1 %is.dense, label %bytes.all, label %bytes.axis
bytes.all:
  %order = call i32 @memcmp(ptr %its.data, ptr %known, i64 %bytes.count)
  %same.bytes = icmp eq i32 %order, 0
  br i1 %same.bytes, label %arg.good, label %other
bytes.axis:
  %one.axis = icmp eq i64 %ndim, 1
  br i1 %one.axis, label %bytes.apart, label %other
bytes.apart:
  %width.at = getelementptr i64, ptr %record, i64 8
  %width = load i64, ptr %width.at
  %stride = load i64, ptr %strides
  %same.items = call i1 @same_items(ptr %its.data, i64 %stride, ptr %known, i64 %width, i64 %items)
  br i1 %same.items, label %arg.good, label %other
arg.good:
  %k.next = add i64 %k, 1
  br label %arg
out:
  %o = phi i64 [ 0, %arg ], [ %o.next, %out.good ]
  %more.outs = icmp slt i64 %o, %count
  br i1 %more.outs, label %out.look, label %start
out.look:
  %out.k = mul i64 %o, {record}
  %out.place = add i64 %out.k, {records}
  %out.record = getelementptr i64, ptr %words, i64 %out.place
  %out.bytes.at = getelementptr i64, ptr %out.record, i64 4
  %out.bytes = load i64, ptr %out.bytes.at
  %written.at = getelementptr i64, ptr %out.record, i64 5
  %written = load i64, ptr %written.at
  %out.data.at = getelementptr i64, ptr %data, i64 %o
  %out.first = load i64, ptr %out.data.at
  %out.last = add i64 %out.first, %out.bytes
  %is.written = icmp ne i64 %written, 0
  br i1 %is.written, label %beside, label %out.good
beside:
  %b = phi i64 [ 0, %out.look ], [ %b.next, %beside.good ]
  %more.beside = icmp slt i64 %b, %count
  br i1 %more.beside, label %beside.look, label %out.good
beside.look:
  %beside.k = mul i64 %b, {record}
  %beside.place = add i64 %beside.k, {records}
  %beside.record = getelementptr i64, ptr %words, i64 %beside.place
  %beside.bytes.at = getelementptr i64, ptr %beside.record, i64 4
  %beside.bytes = load i64, ptr %beside.bytes.at
  %beside.data.at = getelementptr i64, ptr %data, i64 %b
  %beside.first = load i64, ptr %beside.data.at
  %beside.last = add i64 %beside.first, %beside.bytes
  %before = icmp ule i64 %beside.last, %out.first
  %after = icmp ule i64 %out.last, %beside.first
  %itself = icmp eq i64 %b, %o
  %apart.0 = or i1 %before, %after
  %apart = or i1 %apart.0, %itself
  br i1 %apart, label %beside.good, label %other
beside.good:
  %b.next = add i64 %b, 1
  br label %beside
out.good:
  %o.next = add i64 %o, 1
  br label %out
start:
  %moves.count.at = getelementptr i64, ptr %words, i64 7
  %moves.count = load i64, ptr %moves.count.at
  %moves.at = getelementptr i64, ptr %words, i64 8
  %moves = load ptr, ptr %moves.at
  br label %move
move:
  %m = phi i64 [ 0, %start ], [ %m.next, %move.body ]
  %more.moves = icmp slt i64 %m, %moves.count
  br i1 %more.moves, label %move.body, label %all.moved
move.body:
  %m.two = mul i64 %m, 2
  %to.at = getelementptr ptr, ptr %moves, i64 %m.two
  %to = load ptr, ptr %to.at
  %from.at = getelementptr i64, ptr %to.at, i64 1
  %from = load i64, ptr %from.at
  %moved.at = getelementptr ptr, ptr %data, i64 %from
  %moved = load ptr, ptr %moved.at
  store ptr %moved, ptr %to
  %m.next = add i64 %m, 1
  br label %move
all.moved:
  %unlock.at = getelementptr ptr, ptr %words, i64 13
  %unlock = load ptr, ptr %unlock.at
  %is.small = icmp eq ptr %unlock, null
  br i1 %is.small, label %locked, label %unlocked
locked:
  call void @run(ptr %words)
  br label %done
unlocked:
  %lock.at = getelementptr ptr, ptr %words, i64 14
  %lock = load ptr, ptr %lock.at
  store i64 1, ptr %busy.at
  %state = call ptr %unlock()
  call void @run(ptr %words)
  call void %lock(ptr %state)
  store i64 0, ptr %busy.at
  br label %done
done:
  %true = call ptr @returned(ptr %words, i64 5)
  ret ptr %true
other:
  %false = call ptr @returned(ptr %words, i64 6)
  ret ptr %false
}}
"""
