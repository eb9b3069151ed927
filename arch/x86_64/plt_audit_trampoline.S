// Where a PLT slot leads whose calls an auditor sees (rtld-audit(7): la_x86_64_gnu_pltenter, _pltexit).
// The slot stays unbound, so every call comes here.
//
// Calling convention: as in plt_trampoline.S. All of the argument registers become a La_x86_64_regs,
// which the hooks may change; afterwards they are loaded from there. A vector register is taken from
// lr_xmm if the hook changed it there, else with its full width from lr_vector (<bits/link.h>).
//
// If a hook wants to see the return, so many bytes of stack arguments as it asked for are copied, the
// function is called from here, and its result registers become a La_x86_64_retval. x87 registers that
// the function left empty are left empty: loading them would fill the register stack call by call.
//
// Stack, from the frame's base (rsp, rbx while the function runs), aligned to 64:
#define REGS 0
#define LR_RDX 0
#define LR_R8 8
#define LR_R9 16
#define LR_RCX 24
#define LR_RSI 32
#define LR_RDI 40
#define LR_RBP 48
#define LR_RSP 56
#define LR_XMM 64
#define LR_VECTOR 192
#define SAVED_RAX 768
#define SAVED_R10 776
#define FRAME_BYTES 784
#define ST_COUNT 792
#define XMM_COPY 800
#define RETVAL 928
#define LRV_RAX 928
#define LRV_RDX 936
#define LRV_XMM0 944
#define LRV_XMM1 960
#define LRV_ST0 976
#define LRV_ST1 992
#define LRV_VECTOR0 1008
#define LRV_VECTOR1 1072
#define FRAME 1216
// and above rbp:  32 stack arguments  24 return address  16 relocation index  8 module  0 rbp  -8 rbx

// How wide the vector registers are (cpu.cpp): 0 xmm, 1 ymm, 2 zmm.
	.hidden myld_vector_width

.macro SAVE_VECTOR n, xmm, copy, vector
	movaps %xmm\n, \xmm(%rsp)
	movaps %xmm\n, \copy(%rsp)
	cmpl $1, %eax
	jb 1f
	je 2f
	vmovdqu64 %zmm\n, \vector(%rsp)
	jmp 1f
2:	vmovdqu %ymm\n, \vector(%rsp)
1:
.endm

// An auditor may have changed one of the two places that hold the register, and la_..._pltexit is to
// find both equal. Clobbers xmm15 and eax. `base` points to the frame.
.macro LOAD_VECTOR n, xmm, copy, vector, base
	movdqa \xmm(%\base), %xmm15
	pcmpeqb \copy(%\base), %xmm15
	pmovmskb %xmm15, %eax
	cmpl $0xffff, %eax
	jne 1f
	movl myld_vector_width(%rip), %eax
	cmpl $1, %eax
	jb 1f
	je 2f
	vmovdqu64 \vector(%\base), %zmm\n
	jmp 3f
2:	vmovdqu \vector(%\base), %ymm\n
3:	movaps %xmm\n, \xmm(%\base)
	jmp 4f
1:	movaps \xmm(%\base), %xmm\n
	movaps %xmm\n, \vector(%\base)
4:
.endm

// The argument registers, rax and r10 last.
.macro LOAD_ARGUMENTS base
	.irpc i, 01234567
	LOAD_VECTOR \i, LR_XMM+16*\i, XMM_COPY+16*\i, LR_VECTOR+64*\i, \base
	.endr
	movq LR_RDX(%\base), %rdx
	movq LR_R8(%\base), %r8
	movq LR_R9(%\base), %r9
	movq LR_RCX(%\base), %rcx
	movq LR_RSI(%\base), %rsi
	movq LR_RDI(%\base), %rdi
	movq SAVED_R10(%\base), %r10
	movq SAVED_RAX(%\base), %rax
.endm

.macro POP_FRAME
	movq -8(%rbp), %rbx
	movq %rbp, %rsp
	.cfi_def_cfa_register rsp
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	.cfi_restore rbx
	addq $16, %rsp
	.cfi_adjust_cfa_offset -16
.endm

	.section .text
	.globl myld_plt_audit_trampoline
	.hidden myld_plt_audit_trampoline
	.type myld_plt_audit_trampoline, @function
myld_plt_audit_trampoline:
	.cfi_startproc
	.cfi_adjust_cfa_offset 16
	endbr64
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	movq %rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq %rbx
	.cfi_offset rbx, -40
	subq $FRAME, %rsp
	andq $-64, %rsp
	movq %rax, SAVED_RAX(%rsp)
	movq %r10, SAVED_R10(%rsp)
	movq %rdx, LR_RDX(%rsp)
	movq %r8, LR_R8(%rsp)
	movq %r9, LR_R9(%rsp)
	movq %rcx, LR_RCX(%rsp)
	movq %rsi, LR_RSI(%rsp)
	movq %rdi, LR_RDI(%rsp)
	movq (%rbp), %rax
	movq %rax, LR_RBP(%rsp)
	leaq 24(%rbp), %rax
	movq %rax, LR_RSP(%rsp)
	movq $-1, FRAME_BYTES(%rsp)
	movl myld_vector_width(%rip), %eax
	.irpc i, 01234567
	SAVE_VECTOR \i, LR_XMM+16*\i, XMM_COPY+16*\i, LR_VECTOR+64*\i
	.endr
	// r11 = myld_audited_call(module, index, &regs, &frame_bytes);
	movq 8(%rbp), %rdi
	movq 16(%rbp), %rsi
	movq %rsp, %rdx
	leaq FRAME_BYTES(%rsp), %rcx
	call myld_audited_call
	movq %rax, %r11
	cmpq $0, FRAME_BYTES(%rsp)
	jge 9f

	LOAD_ARGUMENTS rsp
	.cfi_remember_state
	POP_FRAME
	jmp *%r11
	.cfi_restore_state

	// memcpy(rsp -= frame_bytes, stack arguments, frame_bytes); the function; its results
9:	movq %rsp, %rbx
	movq FRAME_BYTES(%rbx), %rcx
	leaq 15(%rcx), %rax
	andq $-16, %rax
	subq %rax, %rsp
	leaq 32(%rbp), %rsi
	movq %rsp, %rdi
	rep movsb
	LOAD_ARGUMENTS rbx
	call *%r11
	movq %rbx, %rsp
	movq %rax, LRV_RAX(%rsp)
	movq %rdx, LRV_RDX(%rsp)
	movl myld_vector_width(%rip), %eax
	SAVE_VECTOR 0, LRV_XMM0, XMM_COPY+0, LRV_VECTOR0
	SAVE_VECTOR 1, LRV_XMM1, XMM_COPY+16, LRV_VECTOR1
	// st0 and st1: fxam says C3 = 1, C2 = 0, C0 = 1 of an empty register.
	xorl %ecx, %ecx
	fxam
	fnstsw %ax
	andl $0x4500, %eax
	cmpl $0x4100, %eax
	je 8f
	fstpt LRV_ST0(%rsp)
	incl %ecx
	fxam
	fnstsw %ax
	andl $0x4500, %eax
	cmpl $0x4100, %eax
	je 8f
	fstpt LRV_ST1(%rsp)
	incl %ecx
8:	movq %rcx, ST_COUNT(%rsp)
	// myld_audited_return(module, index, &regs, &retval);
	movq 8(%rbp), %rdi
	movq 16(%rbp), %rsi
	movq %rsp, %rdx
	leaq RETVAL(%rsp), %rcx
	call myld_audited_return
	movq ST_COUNT(%rsp), %rcx
	cmpl $1, %ecx
	jb 6f
	je 7f
	fldt LRV_ST1(%rsp)
7:	fldt LRV_ST0(%rsp)
6:	LOAD_VECTOR 0, LRV_XMM0, XMM_COPY+0, LRV_VECTOR0, rsp
	LOAD_VECTOR 1, LRV_XMM1, XMM_COPY+16, LRV_VECTOR1, rsp
	movq LRV_RDX(%rsp), %rdx
	movq LRV_RAX(%rsp), %rax
	POP_FRAME
	ret
	.cfi_endproc
	.size myld_plt_audit_trampoline, .-myld_plt_audit_trampoline

#include "arch/x86_64/object_notes.inc"
