;; A password rule: no password has a tiger in it.
(module
  (memory (export "memory") 3)
  (global $next (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  ;; A record of three texts: a pointer and a length for each.
  (data (i32.const 64) "no_mascot")
  (data (i32.const 80) "1.0.0")
  (data (i32.const 96) "No password has a tiger in it.")
  (func (export "narthex:portal/lifecycle@0.1.0#describe") (result i32)
    (i32.store (i32.const 8) (i32.const 64)) (i32.store (i32.const 12) (i32.const 9))
    (i32.store (i32.const 16) (i32.const 80)) (i32.store (i32.const 20) (i32.const 5))
    (i32.store (i32.const 24) (i32.const 96)) (i32.store (i32.const 28) (i32.const 30))
    (i32.const 8))
  ;; Any settings do.
  (func (export "narthex:portal/lifecycle@0.1.0#configure") (param i32 i32) (result i32)
    (i32.store8 (i32.const 40) (i32.const 0))
    (i32.const 40))
  (data (i32.const 256) "no_mascot")
  (data (i32.const 272) "Not our school's mascot")
  (data (i32.const 304) "Sin la mascota de la escuela")
  ;; A list of one requirement; its text in Spanish if the tag is `es`.
  (func (export "narthex:portal/password-rule@0.1.0#requirements") (param $tag i32) (param i32) (result i32)
    (i32.store (i32.const 160) (i32.const 168)) (i32.store (i32.const 164) (i32.const 1))
    (i32.store (i32.const 168) (i32.const 256)) (i32.store (i32.const 172) (i32.const 9))
    (if (i32.eq (i32.load16_u (local.get $tag)) (i32.const 0x7365))
      (then (i32.store (i32.const 176) (i32.const 304)) (i32.store (i32.const 180) (i32.const 28)))
      (else (i32.store (i32.const 176) (i32.const 272)) (i32.store (i32.const 180) (i32.const 23))))
    (i32.const 160))
  ;; Looks for "tige" and then for "r".
  (func (export "narthex:portal/password-rule@0.1.0#check") (param $at i32) (param $length i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $done
      (loop $again
        (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 5)) (local.get $end)))
        (if (i32.and
              (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x65676974))
              (i32.eq (i32.load8_u offset=4 (local.get $at)) (i32.const 0x72)))
          (then
            (i32.store (i32.const 616) (i32.const 256)) (i32.store (i32.const 620) (i32.const 9))
            (i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 616))
            (i32.store (i32.const 608) (i32.const 1))
            (return (i32.const 600))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $again)))
    (i32.store (i32.const 600) (i32.const 0))
    (i32.const 600)))
