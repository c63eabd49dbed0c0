dd.o: compiler/exact/dd.c compiler/exact/dd.h

compiler/exact/dd.h:
