module interlink.test/sandbox

go 1.24
