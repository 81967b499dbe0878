f9401b89 ldr x9, [x28, #48]
9000000a adrp x10, rsyso_lane_owner
9100014a add x10, x10, :lo12:rsyso_lane_owner
c8dffd4a ldar x10, [x10]
eb0d015f cmp x10, x13
540002e1 b.ne .+92
9000000a adrp x10, rsyso_lane_table
f940014a ldr x10, [x10, :lo12:rsyso_lane_table]
d28f362e mov x14, #0x79b1
f2b3c6ee movk x14, #0x9e37, lsl #16
1b097dce mul w14, w14, w9
53117dce lsr w14, w14, #17
8b0e114a add x10, x10, x14, lsl #4
a9402d4e ldp x14, x11, [x10]
eb0901df cmp x14, x9
540001a1 b.ne .+52
a93f73fe stp x30, x28, [sp, #-16]
d10043ea sub x10, sp, #0x10
f900016a str x10, [x11]
f900057d str x29, [x11, #8]
f900096c str x12, [x11, #16]
910003f3 mov x19, sp
d100017f sub sp, x11, #0x0
94000000 bl f
f94003ea ldr x10, [sp]
a8c1715e ldp x30, x28, [x10], #16
9100015f mov sp, x10
d65f03c0 ret
a9bf73fe stp x30, x28, [sp, #-16]!
94000000 bl rsyso_lane_slow
a8c173fe ldp x30, x28, [sp], #16
17fffff1 b .-60
