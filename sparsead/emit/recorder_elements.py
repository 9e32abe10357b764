"""The machine code that reads and writes elements of traced arrays; see `sparsead.emit.recorder_code`."""

# `position` finds the element of an array that an index of plain integers means, or -1. `get` gives what was written
# there last, or records one more element of the array that fills the memory; `set` puts a number down where one of its
# kind was.
ELEMENTS = """
define internal i64 @position(ptr %words, ptr %positions, ptr %index) nounwind {{
begin:
  %ndim.at = getelementptr i8, ptr %positions, i64 {ndim}
  %ndim.short = load i32, ptr %ndim.at
  %ndim = sext i32 %ndim.short to i64
  %shape = call ptr @slot(ptr %positions, i64 {shape})
  %strides = call ptr @slot(ptr %positions, i64 {strides})
  %data = call ptr @slot(ptr %positions, i64 {data})
  %dtype = call ptr @slot(ptr %positions, i64 {dtype})
  %alone = call i1 @is_a(ptr %words, ptr %index, i64 {INT})
  br i1 %alone, label %single, label %several
single:
  %is.line = icmp eq i64 %ndim, 1
  br i1 %is.line, label %axis, label %no
several:
  %is.tuple = call i1 @is_a(ptr %words, ptr %index, i64 {TUPLE})
  br i1 %is.tuple, label %tuple, label %no
tuple:
  %length.of = call ptr @shared(ptr %words, i64 {TUPLE_SIZE})
  %length = call i64 %length.of(ptr %index)
  %complete = icmp eq i64 %length, %ndim
  br i1 %complete, label %axis, label %no
axis:
  %d = phi i64 [ 0, %single ], [ 0, %tuple ], [ %d.next, %inside ]
  %offset = phi i64 [ 0, %single ], [ 0, %tuple ], [ %offset.next, %inside ]
  %more = icmp slt i64 %d, %ndim
  br i1 %more, label %pick, label %read
pick:
  br i1 %alone, label %picked, label %item
item:
  %item.of = call ptr @shared(ptr %words, i64 {TUPLE_ITEM})
  %item.there = call ptr %item.of(ptr %index, i64 %d)
  %item.is = call i1 @is_a(ptr %words, ptr %item.there, i64 {INT})
  br i1 %item.is, label %picked, label %no
picked:
  %one = phi ptr [ %index, %pick ], [ %item.there, %item ]
  %k = call i64 @as_integer(ptr %words, ptr %one)
  %odd = icmp eq i64 %k, -1
  br i1 %odd, label %unsure, label %bounds
unsure:
  %forget = call ptr @shared(ptr %words, i64 {FORGET})
  call void %forget()
  br label %no
bounds:
  %size.at = getelementptr i64, ptr %shape, i64 %d
  %size = load i64, ptr %size.at
  %negative = icmp slt i64 %k, 0
  %around = add i64 %k, %size
  %place = select i1 %negative, i64 %around, i64 %k
  %within = icmp ult i64 %place, %size
  br i1 %within, label %inside, label %no
inside:
  %stride.at = getelementptr i64, ptr %strides, i64 %d
  %stride = load i64, ptr %stride.at
  %step = mul i64 %place, %stride
  %offset.next = add i64 %offset, %step
  %d.next = add i64 %d, 1
  br label %axis
read:
  %at = getelementptr i8, ptr %data, i64 %offset
  %short = call ptr @shared(ptr %words, i64 {INT32})
  %is.short = icmp eq ptr %dtype, %short
  br i1 %is.short, label %read.short, label %read.other
read.short:
  %value.short = load i32, ptr %at, align 1
  %value.wide = sext i32 %value.short to i64
  ret i64 %value.wide
read.other:
  %long = call ptr @shared(ptr %words, i64 {INT64})
  %is.long = icmp eq ptr %dtype, %long
  br i1 %is.long, label %read.long, label %no
read.long:
  %value.long = load i64, ptr %at, align 1
  ret i64 %value.long
no:
  ret i64 -1
}}
define ptr @get(ptr %self, ptr %index) nounwind {{
  %storage = call ptr @slot(ptr %self, i64 {storage})
  %unset = icmp eq ptr %storage, null
  br i1 %unset, label %failed, label %begin
begin:
  %tape = call ptr @slot(ptr %storage, i64 {home})
  %words = call ptr @words_of(ptr %tape)
  %positions = call ptr @slot(ptr %self, i64 {positions})
  %position = call i64 @position(ptr %words, ptr %positions, ptr %index)
  %elsewhere = icmp slt i64 %position, 0
  br i1 %elsewhere, label %python, label %look
look:
  %pending = call ptr @slot(ptr %storage, i64 {pending})
  %size.of = call ptr @shared(ptr %words, i64 {DICT_SIZE})
  %waiting = call i64 %size.of(ptr %pending)
  %some = icmp sgt i64 %waiting, 0
  br i1 %some, label %written, label %source
written:
  %key = call ptr @of_integer(ptr %words, i64 %position)
  %lost = icmp eq ptr %key, null
  br i1 %lost, label %failed, label %written.look
failed:
  ret ptr null
written.look:
  %get = call ptr @shared(ptr %words, i64 {GET_ITEM})
  %held = call ptr %get(ptr %pending, ptr %key)
  call void @counted(ptr %words, ptr %key, i64 {DECREASE})
  %unwritten = icmp eq ptr %held, null
  br i1 %unwritten, label %source, label %same
same:
  call void @counted(ptr %words, ptr %held, i64 {INCREASE})
  %writer = call ptr @slot(ptr %storage, i64 {written})
  %again = call ptr @made(ptr %words, ptr %writer, ptr %held)
  ret ptr %again
source:
  %nothing = call ptr @shared(ptr %words, i64 {NONE})
  %values = call ptr @slot(ptr %storage, i64 {values})
  %reading = call ptr @slot(ptr %storage, i64 {reading})
  %is.known = icmp ne ptr %values, %nothing
  %no.reading = icmp eq ptr %reading, %nothing
  %not.plain = or i1 %is.known, %no.reading
  br i1 %not.plain, label %python, label %current
current:
  %notes = call ptr @slot(ptr %reading, i64 {data})
  %noted = call ptr @word(ptr %notes, i64 0)
  %source.now = call ptr @slot(ptr %storage, i64 {source})
  %changed = icmp ne ptr %noted, %source.now
  %outside = call i1 @is_elsewhere(ptr %words)
  %full = call i1 @is_full(ptr %words)
  %leave1 = or i1 %changed, %outside
  %leave = or i1 %leave1, %full
  br i1 %leave, label %python, label %element
element:
  %number = call i64 @count(ptr %notes, i64 1)
  %number.short = trunc i64 %number to i32
  %index.data = call ptr @word(ptr %notes, i64 2)
  %stride = call i64 @count(ptr %notes, i64 3)
  %is.long = call i64 @count(ptr %notes, i64 4)
  %from = mul i64 %position, %stride
  %at = getelementptr i8, ptr %index.data, i64 %from
  %wide = icmp ne i64 %is.long, 0
  br i1 %wide, label %long, label %short
long:
  %place.long = load i64, ptr %at, align 1
  br label %record
short:
  %place.short = load i32, ptr %at, align 1
  %place.wide = sext i32 %place.short to i64
  br label %record
record:
  %place = phi i64 [ %place.long, %long ], [ %place.wide, %short ]
  %object = call ptr @recorded(ptr %words, ptr %tape, i32 %number.short, i64 %place, i64 0)
  ret ptr %object
python:
  %result = call ptr @by_python(ptr %words, i64 {GET}, ptr %self, ptr %index, ptr null, i64 2)
  ret ptr %result
}}
define ptr @set(ptr %self, ptr %args, i64 %given) nounwind {{
  %storage = call ptr @slot(ptr %self, i64 {storage})
  %unset = icmp eq ptr %storage, null
  br i1 %unset, label %failed, label %begin
begin:
  %home = call ptr @slot(ptr %storage, i64 {home})
  %words = call ptr @words_of(ptr %home)
  %pair = icmp eq i64 %given, 2
  br i1 %pair, label %both, label %wrong
wrong:
  %raised = call ptr @by_python(ptr %words, i64 {SET}, ptr %self, ptr null, ptr null, i64 1)
  ret ptr %raised
both:
  %value.at = getelementptr ptr, ptr %args, i64 1
  %index = load ptr, ptr %args
  %value = load ptr, ptr %value.at
  %is.number = call i1 @is_a(ptr %words, ptr %value, i64 {NUMBER})
  br i1 %is.number, label %look, label %python
look:
  %nothing = call ptr @shared(ptr %words, i64 {NONE})
  %double = call ptr @shared(ptr %words, i64 {DOUBLE})
  %tape = call ptr @slot(ptr %value, i64 {tape})
  %no.tape = icmp eq ptr %tape, null
  br i1 %no.tape, label %python, label %look.on
look.on:
  %writer = call ptr @slot(ptr %storage, i64 {written})
  %refuse = call ptr @slot(ptr %storage, i64 {refuse_write})
  %dtype = call ptr @slot(ptr %storage, i64 {storage_dtype})
  %positions = call ptr @slot(ptr %self, i64 {positions})
  %flags.at = getelementptr i8, ptr %positions, i64 {flags}
  %flags = load i32, ptr %flags.at
  %writeable = and i32 %flags, {WRITEABLE}
  %locked = icmp eq i32 %writeable, 0
  %another = icmp ne ptr %tape, %writer
  %refused = icmp ne ptr %refuse, %nothing
  %other.dtype = icmp ne ptr %dtype, %double
  %leave1 = or i1 %locked, %another
  %leave2 = or i1 %refused, %other.dtype
  %leave = or i1 %leave1, %leave2
  br i1 %leave, label %python, label %kind
kind:
  %own.words = call ptr @words_of(ptr %tape)
  %not.here = call i1 @is_not_here(ptr %own.words, ptr %value)
  br i1 %not.here, label %python, label %here
here:
  %record = call i64 @entry_of(ptr %own.words, ptr %value)
  %signature = call i32 @signature_of(ptr %own.words, i64 %record)
  %allowed = call i32 @find(ptr %own.words, i64 {STORED}, i32 %signature, i32 0)
  %unknown = icmp slt i32 %allowed, 0
  br i1 %unknown, label %python, label %place
place:
  %position = call i64 @position(ptr %words, ptr %positions, ptr %index)
  %elsewhere = icmp slt i64 %position, 0
  br i1 %elsewhere, label %python, label %store
store:
  %key = call ptr @of_integer(ptr %words, i64 %position)
  %lost = icmp eq ptr %key, null
  br i1 %lost, label %failed, label %put
put:
  %entry = call ptr @slot(ptr %value, i64 {entry})
  %pending = call ptr @slot(ptr %storage, i64 {pending})
  %set = call ptr @shared(ptr %words, i64 {SET_ITEM})
  %state = call i32 %set(ptr %pending, ptr %key, ptr %entry)
  call void @counted(ptr %words, ptr %key, i64 {DECREASE})
  %bad = icmp ne i32 %state, 0
  br i1 %bad, label %failed, label %done
done:
  call void @counted(ptr %words, ptr %nothing, i64 {INCREASE})
  ret ptr %nothing
failed:
  ret ptr null
python:
  %result = call ptr @by_python(ptr %words, i64 {SET}, ptr %self, ptr %index, ptr %value, i64 3)
  ret ptr %result
}}
"""
