"""Pages for everybody, without sign-in: "Where is my money" (我的钱在哪里)."""
