#include <cstdio>
int main() { std::puts("orbwatch " ORBWATCH_VERSION); }
